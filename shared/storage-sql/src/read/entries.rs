//! Named entries of a mailbox, with their messages.

use domain::{MessageId, Msgbox, ProfileId};
use storage::{Error, Item, Items};

use super::items::Messages;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::fields::entry_columns;
use crate::rows::Call;
use crate::statement::{Kind, Statement};

static ENTRIES: Statement = Statement::with_rows(
    3,
    &[("message_id", Kind::Uuid)],
    concat!(
        "SELECT ",
        entry_columns!(),
        " FROM mailbox b CROSS JOIN r CROSS JOIN msgbox e
         WHERE b.app_no = $1 AND b.profile_id = $2
             AND e.app_no = $1 AND e.mailbox_id = b.mailbox_id AND e.box = $3
             AND e.message_id = r.message_id
         ORDER BY r.ord"
    ),
);

/// As many as have `bytes_max` bytes of content together, but one at least.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    messages: Messages<'_>,
    owner: &ProfileId,
    msgbox: Msgbox,
    message_ids: &[MessageId],
    bytes_max: i64,
) -> Result<Items<Item>, Error> {
    let mut call = Call::of(&ENTRIES)
        .with(messages.app_no)
        .with(owner.as_str())
        .with(msgbox.code());
    for message_id in message_ids {
        call.row([message_id.uuid().into()]);
    }
    let rows = connection.fetch(call).await?;
    let entries: Result<_, _> = rows.into_iter().map(|mut row| row.entry()).collect();
    messages.items(connection, entries?, bytes_max).await
}
