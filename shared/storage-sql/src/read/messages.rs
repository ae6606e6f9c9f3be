//! Look-up of messages by id, in all mailboxes of an app.

use domain::{Message, MessageId, Millis};
use storage::{Error, Lookup};

use super::scan::lookup;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::statement::Statement;
use crate::table::message::envelope_columns;

/// The messages that have not expired at `$2`, in the order of the ids; if `$3` is 1, also
/// deleted segment messages, whose content is empty. Contents are null beyond a running total of
/// `$1` bytes, except the first.
pub static MESSAGES: Statement = Statement::with_rows(
    "message.read",
    3,
    &[("app_no", Kind::Int), ("message_id", Kind::Uuid)],
    concat!(
        "SELECT ",
        envelope_columns!(),
        ", m.content_kind, m.digest,
             CASE WHEN sum(m.size_bytes) OVER (ORDER BY r.ord ROWS UNBOUNDED PRECEDING) <= $1
                 OR row_number() OVER (ORDER BY r.ord) = 1 THEN m.content END
         FROM r CROSS JOIN message m WHERE m.app_no = r.app_no AND m.message_id = r.message_id
             AND m.expire_ms + 0 > $2
             AND (m.recall_ms IS NULL OR (m.job_id IS NOT NULL AND $3 = 1))
         ORDER BY r.ord"
    ),
);

/// Treatment of segment messages that the app has deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletedSegments {
    /// Left out, for look-ups by the app.
    Excluded,
    /// Returned without content, for entries that the deletion has not reached yet.
    Included,
}

/// Looks up messages, up to `bytes_max` bytes of content, but one at least.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    message_ids: &[MessageId],
    now: Millis,
    bytes_max: i64,
    deleted_segments: DeletedSegments,
) -> Result<Lookup<Message>, Error> {
    let mut statement = BoundStatement::of(&MESSAGES)
        .bind(bytes_max)
        .bind(now.0)
        .bind(i64::from(deleted_segments == DeletedSegments::Included));
    for message_id in message_ids {
        statement.push_row([app_no.into(), message_id.uuid().into()]);
    }
    let rows = connection.fetch(statement).await?;
    lookup(rows.into_iter().map(|mut row| row.message()))
}
