//! Look-up of entries by message id, with their messages.

use domain::{MessageId, Msgbox, ProfileId};
use storage::{Error, Item, Lookup};

use super::ReadOutcome;
use super::items::Messages;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::statement::Statement;
use crate::table::mailbox::{MailboxReadiness, state};
use crate::table::msgbox::entry_columns;

/// The entries of box `$3` of owner `$2` with those message ids, in their order; each row says
/// whether the mailbox is due at `$4`. Without entries that is the only column that is not null.
///
/// All key columns of an entry come from `keyed`, which is not merged into the join: if one were a
/// parameter, or came from `owner`, the planner could go through the mailbox for each message.
pub static ENTRIES: Statement = Statement::with_rows(
    "msgbox.read_of_owner",
    4,
    &[("message_id", Kind::Uuid)],
    concat!(
        ", owner AS (
             SELECT b.mailbox_id, ",
        state!("$4"),
        " AS state FROM mailbox b WHERE b.app_no + 0 = $1 AND b.profile_id = $2
         ), keyed AS MATERIALIZED (
             SELECT CAST($1 AS int) AS app_no, owner.mailbox_id, CAST($3 AS int) AS box,
                 r.message_id, r.ord
             FROM owner CROSS JOIN r
         ), named AS (
             SELECT k.ord, e.* FROM keyed k CROSS JOIN msgbox e
             WHERE e.app_no = k.app_no AND e.mailbox_id = k.mailbox_id AND e.box = k.box
                 AND e.message_id = k.message_id
         )
         SELECT owner.state, ",
        entry_columns!(),
        " FROM owner LEFT JOIN named e ON true ORDER BY e.ord"
    ),
);

/// Looks up entries of a box, up to `bytes_max` bytes of content, but one at least.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    messages: Messages<'_>,
    owner: &ProfileId,
    msgbox: Msgbox,
    message_ids: &[MessageId],
    bytes_max: i64,
) -> Result<ReadOutcome<Lookup<Item>>, Error> {
    let mut statement = BoundStatement::of(&ENTRIES)
        .bind(messages.app_no)
        .bind(owner.as_str())
        .bind(msgbox.code())
        .bind(messages.now.0);
    for message_id in message_ids {
        statement.push_row([message_id.uuid().into()]);
    }
    let rows = connection.fetch(statement).await?;
    if rows.is_empty() {
        return Ok(ReadOutcome::Missing);
    }
    let mut entries = Vec::with_capacity(rows.len());
    let mut state = MailboxReadiness::Ready;
    for mut row in rows {
        state = row.mailbox_readiness()?;
        if state == MailboxReadiness::Due {
            return Ok(ReadOutcome::Due);
        }
        if !row.is_null_next() {
            entries.push(row.entry()?);
        }
    }
    let items = messages.items(connection, entries, bytes_max).await?;
    Ok(ReadOutcome::of(state, items))
}
