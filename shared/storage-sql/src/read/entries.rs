//! Named entries of a mailbox, with their messages.

use domain::{MessageId, Msgbox, ProfileId};
use storage::{Error, Item, Items};

use super::scan::split;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::fields::{entry_columns, envelope_columns};
use crate::rows::Call;
use crate::statement::{Kind, Statement};

/// A content comes with as many others as fit into `$4` bytes together with it.
static ENTRIES: Statement = Statement::with_rows(
    4,
    &[("message_id", Kind::Uuid)],
    concat!(
        "SELECT ",
        entry_columns!(),
        ", ",
        envelope_columns!(),
        ", m.content_kind, m.digest,
             CASE WHEN sum(m.size_bytes) OVER (ORDER BY r.ord ROWS UNBOUNDED PRECEDING) <= $4
                 OR row_number() OVER (ORDER BY r.ord) = 1 THEN m.content END
         FROM r
         JOIN mailbox b ON b.app_no = $1 AND b.profile_id = $2
         JOIN msgbox e ON e.app_no = $1 AND e.mailbox_id = b.mailbox_id AND e.box = $3
             AND e.message_id = r.message_id
         JOIN message m ON m.app_no = $1 AND m.message_id = e.message_id
         ORDER BY r.ord"
    ),
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    owner: &ProfileId,
    msgbox: Msgbox,
    message_ids: &[MessageId],
    bytes_max: i64,
) -> Result<Items<Item>, Error> {
    let mut call = Call::of(&ENTRIES)
        .with(app_no)
        .with(owner.as_str())
        .with(msgbox.code())
        .with(bytes_max);
    for message_id in message_ids {
        call.row([message_id.uuid().into()]);
    }
    let rows = connection.fetch(call).await?;
    let read = rows.into_iter().map(|mut row| {
        let entry = row.entry()?;
        Ok(row.message()?.map(|message| Item { entry, message }))
    });
    split(read)
}
