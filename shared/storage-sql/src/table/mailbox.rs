//! Table `mailbox`: the counters of a mailbox, and how far it is settled.

use domain::mailbox::Counts;
use domain::{Mailbox, Millis};
use storage::Error;

use super::{BatchChanges, rows};
use crate::db::backend::Backend;
use crate::db::column::{columns, written_columns};
use crate::db::dialect::{BatchColumn, Kind};
use crate::db::row::RowReader;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

columns! {
    static COLUMNS of "mailbox": |mailbox: Mailbox| {
        Key mailbox_id: i64 = mailbox.mailbox_id;
        Mutable seq: i64 = mailbox.seq;
        Mutable floor_seq: i64 = mailbox.floor_seq;
        Mutable clock_ms: Millis = mailbox.clock_ms;
        Mutable inbox_total: i64 = mailbox.counts.inbox_total;
        Mutable inbox_unread: i64 = mailbox.counts.inbox_unread;
        Mutable sent_total: i64 = mailbox.counts.sent_total;
        Mutable next_expiry_ms: Option<Millis> = mailbox.next_expiry_ms;
        Mutable bulk_cursor: i64 = mailbox.bulk_cursor;
        Mutable blocks: i64 = mailbox.blocks;
        Mutable conversations: i64 = mailbox.conversations;
        Mutable known: bool = mailbox.known;
        Mutable kept_bytes: i64 = mailbox.kept_bytes;
        Mutable caused_by: Option<i64> = mailbox.caused_by;
    }
    read only {
        bulk_joined: i64;
    }
    select mailbox_columns from "b";
    fn mailbox() -> Mailbox {
        Ok(Mailbox {
            mailbox_id,
            seq,
            floor_seq,
            clock_ms,
            counts: Counts { inbox_total, inbox_unread, sent_total },
            next_expiry_ms,
            bulk_cursor,
            bulk_joined,
            blocks,
            conversations,
            known,
            kept_bytes,
            caused_by,
        })
    }
}

/// The [`MailboxReadiness`] of a mailbox `b` at a time. The app is a sub-select: if it were joined, the
/// planner could go from the app to all of its mailboxes.
macro_rules! state {
    ($now:literal) => {
        concat!(
            "CASE WHEN b.bulk_cursor < (
                 SELECT a.bulk_head FROM app a WHERE a.app_no = b.app_no
             ) OR b.next_expiry_ms <= ",
            $now,
            " THEN 1 WHEN b.known = 0 THEN 2 ELSE 0 END"
        )
    };
}
pub(crate) use state;

/// State of a mailbox at a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxReadiness {
    /// Nothing is due: the mailbox can be read.
    Ready,
    /// Changes are due: the mailbox must be settled first.
    Due,
    /// Nothing is due, and the owner has never used the mailbox.
    Unused,
}

const OWNER: [BatchColumn; 2] = [("app_no", Kind::Int), ("profile_id", Kind::Text)];

/// Creates mailboxes at `$1`, each after the app's last bulk event, but for those that another
/// transaction is creating. Returns the app of each.
pub static CREATE: Statement = Statement::with_rows(
    "mailbox.create",
    1,
    &OWNER,
    "INSERT INTO mailbox (app_no, profile_id, create_ms, bulk_joined)
     SELECT r.app_no, r.profile_id, $1, (
         SELECT a.bulk_head FROM app a WHERE a.app_no = r.app_no
     ) FROM r WHERE {may_create} ORDER BY r.ord
     ON CONFLICT ((app_no + 0), profile_id) DO NOTHING RETURNING app_no",
);

pub static LOCK: Statement = Statement::with_rows(
    "mailbox.lock",
    0,
    &OWNER,
    concat!(
        "SELECT b.app_no, b.profile_id, ",
        mailbox_columns!(),
        " FROM r
         CROSS JOIN mailbox b WHERE b.app_no + 0 = r.app_no AND b.profile_id = r.profile_id
         ORDER BY r.ord"
    ),
)
.locking_free("b");

/// The numbers of unused mailboxes that messages of users have created, `$1` + 1 at most, by the
/// mailboxes of those users.
pub static UNUSED_OF_SENDERS: Statement = Statement::with_rows(
    "mailbox.unused_of_senders",
    1,
    &[("app_no", Kind::Int), ("sender_id", Kind::Int)],
    "SELECT r.app_no, r.sender_id, (
         SELECT count(*) FROM (
             SELECT 1 FROM mailbox b WHERE b.app_no + 0 = r.app_no
             AND b.caused_by = r.sender_id AND b.caused_by IS NOT NULL LIMIT $1 + 1
         ) AS unused
     ) FROM r",
);

/// Mailboxes, locked or not.
pub static EXISTING: Statement = Statement::with_rows(
    "mailbox.existing",
    0,
    &OWNER,
    "SELECT b.app_no, b.profile_id FROM r
     CROSS JOIN mailbox b WHERE b.app_no + 0 = r.app_no AND b.profile_id = r.profile_id",
);

/// Locks a mailbox, as soon as another transaction has released it.
pub static WAIT: Statement = Statement::new(
    "mailbox.wait",
    2,
    "SELECT b.mailbox_id FROM mailbox b WHERE b.app_no + 0 = $1 AND b.profile_id = $2",
)
.locking("b");

pub static UPDATE: RowStatement<Mailbox> =
    RowStatement::update("mailbox.update", "mailbox", &[COLUMNS]);

written_columns! {
    static KEY: |mailbox_id: i64| {
        Key mailbox_id: i64 = *mailbox_id;
    }
}

pub static DELETE: RowStatement<i64> = RowStatement::delete("mailbox.delete", "mailbox", &[KEY]);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![
        UPDATE.rows(rows(batch, |changes| &changes.mailboxes)),
        DELETE.rows(rows(batch, |changes| &changes.gone_mailboxes)),
    ]
}

impl<DB: Backend> RowReader<DB> {
    /// Reads `inbox_total, inbox_unread, sent_total`.
    pub fn counts(&mut self) -> Result<Counts, Error> {
        Ok(Counts {
            inbox_total: self.int()?,
            inbox_unread: self.int()?,
            sent_total: self.int()?,
        })
    }

    /// Reads [`state`].
    pub fn mailbox_readiness(&mut self) -> Result<MailboxReadiness, Error> {
        Ok(match self.int()? {
            0 => MailboxReadiness::Ready,
            1 => MailboxReadiness::Due,
            _ => MailboxReadiness::Unused,
        })
    }
}
