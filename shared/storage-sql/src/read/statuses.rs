//! Statuses of mailboxes.

use domain::{Millis, ProfileId};
use storage::{Error, MailboxHead, MailboxKey, MailboxStatus};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::dialect::Kind;
use crate::db::statement::Statement;
use crate::table::app::AppKey;
use crate::table::mailbox::{MailboxReadiness, state};

pub static STATUSES: Statement = Statement::with_rows(
    "mailbox.statuses",
    1,
    &[("app_no", Kind::Int), ("mailbox_id", Kind::Int)],
    concat!(
        "SELECT b.app_no, b.mailbox_id, b.seq, ",
        state!("$1"),
        " FROM r
         CROSS JOIN mailbox b WHERE b.app_no = r.app_no AND b.mailbox_id = r.mailbox_id"
    ),
);

pub static OWNERS: Statement = Statement::with_rows(
    "mailbox.owners",
    0,
    &[("app_no", Kind::Int), ("mailbox_id", Kind::Int)],
    "SELECT b.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = b.app_no), b.profile_id FROM r
     CROSS JOIN mailbox b WHERE b.app_no = r.app_no AND b.mailbox_id = r.mailbox_id",
);

/// Returns the statuses of mailboxes; unknown ones are left out.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    mailboxes: &[MailboxKey],
    now: Millis,
) -> Result<Vec<MailboxStatus>, Error> {
    let mut statement = BoundStatement::of(&STATUSES).bind(now.0);
    for mailbox in mailboxes {
        statement.push_row([mailbox.app_no.into(), mailbox.mailbox_id.into()]);
    }
    let rows = connection.fetch(statement).await?;
    let statuses = rows.into_iter().map(|mut row| {
        let mailbox = MailboxKey {
            app_no: row.int()?,
            mailbox_id: row.int()?,
        };
        let head = MailboxHead {
            mailbox,
            seq: row.int()?,
        };
        Ok(MailboxStatus {
            head,
            is_due: row.mailbox_readiness()? == MailboxReadiness::Due,
        })
    });
    statuses.collect()
}

/// Returns the apps and owners of mailboxes.
pub async fn owners<DB: Backend>(
    connection: &mut Connection<DB>,
    mailboxes: &[MailboxKey],
) -> Result<Vec<(AppKey, ProfileId)>, Error> {
    let mut statement = BoundStatement::of(&OWNERS);
    for mailbox in mailboxes {
        statement.push_row([mailbox.app_no.into(), mailbox.mailbox_id.into()]);
    }
    let rows = connection.fetch(statement).await?;
    let owners = rows.into_iter().map(|mut row| {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        Ok((app, row.profile_id("mailbox")?))
    });
    owners.collect()
}
