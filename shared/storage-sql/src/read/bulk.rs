//! Bulk messages, with their tallies.

use domain::bulk::Tally;
use domain::{Message, MessageId, MessageKind, Millis};
use storage::{BulkReport, Error};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::error::corrupt;
use crate::db::statement::Statement;
use crate::table::message::envelope_columns;

/// The message `$2` of app `$1`, if it is of kind `$3` and has not expired at `$4`, with the sum of
/// its tally.
pub static BULK: Statement = Statement::new(
    "bulk.report",
    4,
    concat!(
        "SELECT ",
        envelope_columns!(),
        ", m.content_kind, m.digest, m.content, m.recall_ms,
             CAST(coalesce(sum(t.settled), 0) AS bigint), CAST(coalesce(sum(t.read), 0) AS bigint),
             CAST(coalesce(sum(t.deleted), 0) AS bigint)
         FROM message m LEFT JOIN bulk_tally t ON t.app_no = $1 AND t.message_id = $2
         WHERE m.app_no = $1 AND m.message_id = $2 AND m.kind = $3 AND m.expire_ms + 0 > $4
         GROUP BY m.app_no, m.message_id"
    ),
);

/// Returns a bulk message that has not expired, and its tally, summed over the lanes.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    message_id: MessageId,
    now: Millis,
) -> Result<Option<BulkReport>, Error> {
    let statement = BoundStatement::of(&BULK)
        .bind(app_no)
        .bind(message_id.uuid())
        .bind(MessageKind::Bulk.code())
        .bind(now.0);
    let Some(mut row) = connection.fetch_one(statement).await? else {
        return Ok(None);
    };
    let envelope = row.envelope()?;
    let content = row.content()?;
    let content = content.ok_or_else(|| corrupt("message", "content", &message_id))?;
    let recalled = row.int_or_null()?.is_some();
    let tally = Tally {
        settled: row.int()?,
        read: row.int()?,
        deleted: row.int()?,
    };
    Ok(Some(BulkReport {
        message: Message { envelope, content },
        recalled,
        tally,
    }))
}
