//! The numbers of the last changes of mailboxes.

use storage::{Error, Head, MailboxKey};

use crate::backend::Backend;
use crate::connection::Connection;
use crate::rows::Call;
use crate::statement::{Kind, Statement};

static HEADS: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("mailbox_id", Kind::Int)],
    "SELECT b.app_no, b.mailbox_id, b.seq FROM r
     JOIN mailbox b ON b.app_no = r.app_no AND b.mailbox_id = r.mailbox_id",
);

pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    mailboxes: &[MailboxKey],
) -> Result<Vec<Head>, Error> {
    let mut call = Call::of(&HEADS);
    for mailbox in mailboxes {
        call.row([mailbox.app_no.into(), mailbox.mailbox_id.into()]);
    }
    let rows = connection.fetch(call).await?;
    let heads = rows.into_iter().map(|mut row| {
        let mailbox = MailboxKey {
            app_no: row.int()?,
            mailbox_id: row.int()?,
        };
        Ok(Head {
            mailbox,
            seq: row.int()?,
        })
    });
    heads.collect()
}
