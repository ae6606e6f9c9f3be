//! Old deletions: which of them are to be forgotten.

use domain::limits::{TOMBSTONE_MS, TOMBSTONES_MAX};
use domain::operation::Trim;
use domain::{Action, Millis, Operation};
use storage::{Error, MailboxKey};

use crate::backend::Backend;
use crate::connection::Connection;
use crate::rows::Call;
use crate::statement::Statement;

/// Mailboxes that are looked at together.
const MAILBOXES: i64 = 100;

/// Of the next `$3` mailboxes with deletions after (`$1`, `$2`): the last one that is older
/// than `$4`, or beyond the newest `$5`.
static OLD: Statement = Statement::new(
    5,
    "WITH part AS (
         SELECT app_no, mailbox_id FROM msgbox_deleted WHERE (app_no, mailbox_id) > ($1, $2)
         GROUP BY app_no, mailbox_id ORDER BY app_no, mailbox_id LIMIT $3
     ), placed AS (
         SELECT d.app_no, d.mailbox_id, d.seq, d.delete_ms, row_number() OVER (
             PARTITION BY d.app_no, d.mailbox_id ORDER BY d.seq DESC
         ) AS place
         FROM part JOIN msgbox_deleted d
             ON d.app_no = part.app_no AND d.mailbox_id = part.mailbox_id
     )
     SELECT b.app_no, b.mailbox_id, b.profile_id,
         max(CASE WHEN d.delete_ms < $4 OR d.place > $5 THEN d.seq END)
     FROM placed d JOIN mailbox b ON b.app_no = d.app_no AND b.mailbox_id = d.mailbox_id
     GROUP BY b.app_no, b.mailbox_id, b.profile_id ORDER BY b.app_no, b.mailbox_id",
);

/// Some mailboxes, and what is to be done to them.
pub struct Part {
    /// Each with the number of its app.
    pub operations: Vec<(i64, Operation)>,
    /// Where the next part begins.
    pub next: Option<MailboxKey>,
}

/// The next mailboxes after one.
pub async fn part<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    after: Option<MailboxKey>,
) -> Result<Part, Error> {
    let (app_no, mailbox_id) = after.map_or((0, 0), |key| (key.app_no, key.mailbox_id));
    let call = Call::of(&OLD)
        .with(app_no)
        .with(mailbox_id)
        .with(MAILBOXES)
        .with(now.after(-TOMBSTONE_MS).0)
        .with(TOMBSTONES_MAX);
    let mut part = Part {
        operations: Vec::new(),
        next: None,
    };
    for mut row in connection.fetch(call).await? {
        let (app_no, mailbox_id) = (row.int()?, row.int()?);
        let owner = row.profile_id("mailbox")?;
        part.next = Some(MailboxKey { app_no, mailbox_id });
        if let Some(seq) = row.int_or_null()? {
            let operation = Operation {
                request: None,
                action: Action::Trim(Trim { owner, seq }),
            };
            part.operations.push((app_no, operation));
        }
    }
    Ok(part)
}
