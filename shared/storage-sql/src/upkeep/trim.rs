//! Trimming of old tombstones.

use std::time::{Duration, Instant};

use domain::limits::{TOMBSTONE_MIN_MS, TOMBSTONE_MS, TOMBSTONES_MAX};
use domain::operation::{Action, TrimTombstones};
use domain::{Millis, Operation};
use storage::{Error, MailboxKey};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::statement::Statement;
use crate::table::app::AppKey;
use crate::write::lanes::{Lanes, is_worth_bisecting};

/// Number of mailboxes read by one statement. Each may cost a walk over its newest 10,000
/// tombstones, and a busy database that reads them from disk has a statement timeout of five
/// seconds for all.
const MAILBOXES: i64 = 20;
/// Timeout of trimming one mailbox.
const TRIM_WITHIN: Duration = Duration::from_secs(5);

/// The next `$3` mailboxes with tombstones after (`$1`, `$2`), and for each the last tombstone
/// older than `$4`, and the last one behind the newest `$5` of those older than `$6`. Both are
/// index seeks, because the times of tombstones grow with `seq`. The plus signs hide the column
/// types from `SQLite`, which would otherwise seek by the first of the two columns only; `+ 0`
/// keeps times out of the index by them.
pub static OLD: Statement = Statement::new(
    "msgbox_deleted.old",
    6,
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
     SELECT b.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = b.app_no), b.mailbox_id,
         b.profile_id, (
         SELECT d.seq FROM msgbox_deleted d
         WHERE d.app_no = p.app_no AND d.mailbox_id = p.mailbox_id AND d.seq < coalesce((
             SELECT f.seq FROM msgbox_deleted f
             WHERE f.app_no = p.app_no AND f.mailbox_id = p.mailbox_id AND f.delete_ms + 0 >= $4
             ORDER BY f.seq LIMIT 1
         ), 9223372036854775807)
         ORDER BY d.seq DESC LIMIT 1
     ), (
         SELECT d.seq FROM msgbox_deleted d
         WHERE d.app_no = p.app_no AND d.mailbox_id = p.mailbox_id AND d.delete_ms + 0 < $6
         ORDER BY d.seq DESC LIMIT 1 OFFSET $5
     )
     FROM part p CROSS JOIN mailbox b WHERE p.place > 0
         AND b.app_no = p.app_no AND b.mailbox_id = p.mailbox_id
     ORDER BY p.place",
);

/// The trims of a range of mailboxes.
pub struct MailboxTrims {
    pub operations: Vec<(AppKey, MailboxKey, Operation)>,
    /// Last mailbox of the range; none behind the last mailbox of all.
    pub next: Option<MailboxKey>,
}

/// Returns the trims of the next mailboxes behind `after`.
pub async fn next_trims<DB: Backend>(
    connection: &mut Connection<DB>,
    now: Millis,
    after: Option<MailboxKey>,
) -> Result<MailboxTrims, Error> {
    let (app_no, mailbox_id) = after.map_or((0, 0), |key| (key.app_no, key.mailbox_id));
    let statement = BoundStatement::of(&OLD)
        .bind(app_no)
        .bind(mailbox_id)
        .bind(MAILBOXES)
        .bind(now.after(-TOMBSTONE_MS).0)
        .bind(TOMBSTONES_MAX)
        .bind(now.after(-TOMBSTONE_MIN_MS).0);
    let mut trims = MailboxTrims {
        operations: Vec::new(),
        next: None,
    };
    for mut row in connection.fetch(statement).await? {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        let mailbox = MailboxKey {
            app_no: app.app_no,
            mailbox_id: row.int()?,
        };
        trims.next = Some(mailbox);
        let owner = row.profile_id("mailbox")?;
        let (too_old, too_many) = (row.int_or_null()?, row.int_or_null()?);
        if let Some(seq) = too_old.max(too_many) {
            let operation = Operation::from(Action::from(TrimTombstones { owner, seq }));
            trims.operations.push((app, mailbox, operation));
        }
    }
    Ok(trims)
}

/// Executes the trims. A mailbox whose trim fails keeps its tombstones until the next round, and
/// does not block the mailboxes behind it.
pub async fn execute_all(
    lanes: &Lanes,
    operations: Vec<(AppKey, MailboxKey, Operation)>,
) -> Result<(), Error> {
    for (app, mailbox, operation) in operations {
        let deadline = Instant::now() + TRIM_WITHIN;
        let trimmed = lanes.execute(app, operation, deadline.into()).await;
        match trimmed.and_then(|verdict| Ok(verdict?)) {
            Ok(_) => {}
            Err(error) if is_worth_bisecting(&error) => tracing::warn!(
                mailbox.app_no,
                mailbox.mailbox_id,
                error.source = error.chain(),
                "feed.mailbox_not_trimmed"
            ),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
