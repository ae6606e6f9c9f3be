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
use crate::table::mailbox::is_due;
use crate::table::msgbox::entry_columns;

pub static ENTRIES: Statement = Statement::with_rows(
    "msgbox.read_of_owner",
    4,
    &[("message_id", Kind::Uuid)],
    concat!(
        ", owner AS (
             SELECT b.mailbox_id, ",
        is_due!("$4"),
        " AS is_due FROM mailbox b CROSS JOIN app a
             WHERE b.app_no = $1 AND b.profile_id = $2 AND a.app_no = $1
         ), named AS (
             SELECT r.ord, e.* FROM owner CROSS JOIN r CROSS JOIN msgbox e
             WHERE e.app_no = $1 AND e.mailbox_id = owner.mailbox_id AND e.box = $3
                 AND e.message_id = r.message_id
         )
         SELECT owner.is_due, ",
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
    for mut row in rows {
        if row.is_due()? {
            return Ok(ReadOutcome::Due);
        }
        if !row.is_null_next() {
            entries.push(row.entry()?);
        }
    }
    let items = messages.items(connection, entries, bytes_max).await?;
    Ok(ReadOutcome::Ready(items))
}
