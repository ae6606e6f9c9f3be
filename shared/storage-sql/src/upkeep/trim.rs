//! Old deletions: which of them are to be forgotten.

use std::time::{Duration, Instant};

use domain::limits::{TOMBSTONE_MS, TOMBSTONES_MAX};
use domain::operation::{Action, TrimTombstones};
use domain::{Millis, Operation};
use storage::{Error, MailboxKey};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;
use crate::table::app::AppKey;
use crate::write::lanes::{Lanes, is_worth_bisecting};

/// Mailboxes that are looked at together: few, because each may have its newest 10,000
/// deletions gone through, and a database that is busy, and reads them from its disk, has five
/// seconds for all of them.
const MAILBOXES: i64 = 20;
/// How long forgetting the deletions of one mailbox may take.
const TRIM_WITHIN: Duration = Duration::from_secs(5);

/// The next `$3` mailboxes with deletions after (`$1`, `$2`), and for each the last deletion
/// that is older than `$4`, and the last beyond the newest `$5`. Each is sought, not counted
/// out: the times of deletions grow with their numbers. The plus signs take from the values
/// their type, with which `SQLite` would seek by the first of the two only.
pub static OLD: Statement = Statement::new(
    "msgbox_deleted.old",
    5,
    "WITH RECURSIVE part (app_no, mailbox_id, place) AS (
         SELECT CAST($1 AS int), CAST($2 AS bigint), 0
         UNION ALL
         SELECT (
             SELECT d.app_no FROM msgbox_deleted d
             WHERE (d.app_no, d.mailbox_id) > (+p.app_no, +p.mailbox_id)
             ORDER BY d.app_no, d.mailbox_id LIMIT 1
         ), (
             SELECT d.mailbox_id FROM msgbox_deleted d
             WHERE (d.app_no, d.mailbox_id) > (+p.app_no, +p.mailbox_id)
             ORDER BY d.app_no, d.mailbox_id LIMIT 1
         ), p.place + 1
         FROM part p WHERE p.place < $3 AND p.app_no IS NOT NULL
     )
     SELECT b.app_no, a.app_id, b.mailbox_id, b.profile_id, (
         SELECT d.seq FROM msgbox_deleted d
         WHERE d.app_no = p.app_no AND d.mailbox_id = p.mailbox_id AND d.seq < coalesce((
             SELECT f.seq FROM msgbox_deleted f
             WHERE f.app_no = p.app_no AND f.mailbox_id = p.mailbox_id AND f.delete_ms >= $4
             ORDER BY f.seq LIMIT 1
         ), 9223372036854775807)
         ORDER BY d.seq DESC LIMIT 1
     ), (
         SELECT d.seq FROM msgbox_deleted d
         WHERE d.app_no = p.app_no AND d.mailbox_id = p.mailbox_id
         ORDER BY d.seq DESC LIMIT 1 OFFSET $5
     )
     FROM part p CROSS JOIN mailbox b CROSS JOIN app a WHERE p.place > 0
         AND b.app_no = p.app_no AND b.mailbox_id = p.mailbox_id AND a.app_no = b.app_no
     ORDER BY p.place",
);

/// Some mailboxes, and what is to be done to them.
pub struct Part {
    pub operations: Vec<(AppKey, MailboxKey, Operation)>,
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
    let call = BoundStatement::of(&OLD)
        .bind(app_no)
        .bind(mailbox_id)
        .bind(MAILBOXES)
        .bind(now.after(-TOMBSTONE_MS).0)
        .bind(TOMBSTONES_MAX);
    let mut part = Part {
        operations: Vec::new(),
        next: None,
    };
    for mut row in connection.fetch(call).await? {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        let mailbox = MailboxKey {
            app_no: app.app_no,
            mailbox_id: row.int()?,
        };
        part.next = Some(mailbox);
        let owner = row.profile_id("mailbox")?;
        let (too_old, too_many) = (row.int_or_null()?, row.int_or_null()?);
        if let Some(seq) = too_old.max(too_many) {
            let operation = Operation::from(Action::from(TrimTombstones { owner, seq }));
            part.operations.push((app, mailbox, operation));
        }
    }
    Ok(part)
}

/// Does it. A mailbox that fails keeps its deletions until the next time, and does not stand
/// in the way of those behind it.
pub async fn carry_out(
    lanes: &Lanes,
    operations: Vec<(AppKey, MailboxKey, Operation)>,
) -> Result<(), Error> {
    for (app, mailbox, operation) in operations {
        let deadline = Instant::now() + TRIM_WITHIN;
        let trimmed = lanes.execute(app, operation, deadline).await;
        match trimmed.and_then(|verdict| Ok(verdict?)) {
            Ok(_) => {}
            Err(error) if is_worth_bisecting(&error) => tracing::warn!(
                mailbox.app_no,
                mailbox.mailbox_id,
                error.source = %error,
                "feed.mailbox_not_trimmed"
            ),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
