//! Table `msgbox`: the entries of mailboxes.

use domain::{Entry, MessageId, Millis, Msgbox};
use storage::Error;

use super::{BatchChanges, rows};
use crate::db::backend::Backend;
use crate::db::column::{columns, written_columns};
use crate::db::dialect::{BatchColumn, Kind};
use crate::db::row::RowReader;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

/// An entry of the mailbox with that id.
pub type MailboxEntry = (i64, Entry);

columns! {
    /// The columns of an entry.
    static ENTRY of "msgbox": |row: MailboxEntry| {
        Key msgbox as "box": Msgbox = row.1.msgbox;
        Key message_id: MessageId = row.1.message_id;
        Mutable seq: i64 = row.1.seq;
        Fixed create_seq: i64 = row.1.create_seq;
        Fixed create_ms: Millis = row.1.create_ms;
        Mutable update_ms: Millis = row.1.update_ms;
        Mutable version: i64 = row.1.version;
        Mutable content_version: i64 = row.1.content_version;
        Mutable read_ms: Option<Millis> = row.1.read_ms;
        Mutable delivered_ms: Option<Millis> = row.1.delivered_ms;
        Fixed expire_ms: Millis = row.1.expire_ms;
        Fixed sender_id: Option<i64> = row.1.sender_id;
    }
    select entry_columns from "e";
    fn entry() -> Entry {
        Ok(Entry {
            msgbox,
            message_id,
            seq,
            create_seq,
            create_ms,
            update_ms,
            version,
            content_version,
            read_ms,
            delivered_ms,
            expire_ms,
            sender_id,
        })
    }
}

pub(crate) use entry_columns;

written_columns! {
    static MAILBOX: |row: MailboxEntry| {
        Key mailbox_id: i64 = row.0;
    }
}

written_columns! {
    static KEY: |key: (i64, Msgbox, MessageId)| {
        Key mailbox_id: i64 = key.0;
        Key msgbox as "box": Msgbox = key.1;
        Key message_id: MessageId = key.2;
    }
}

pub static DELETE: RowStatement<(i64, Msgbox, MessageId)> =
    RowStatement::delete("msgbox.delete", "msgbox", &[KEY]);
pub static UPDATE: RowStatement<MailboxEntry> =
    RowStatement::update("msgbox.update", "msgbox", &[MAILBOX, ENTRY]);
pub static INSERT: RowStatement<MailboxEntry> =
    RowStatement::insert("msgbox.insert", "msgbox", &[MAILBOX, ENTRY]);

/// Deletes first: a box that is full makes room.
pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![
        DELETE.rows(rows(batch, |changes| &changes.gone_entries)),
        UPDATE.rows(rows(batch, |changes| &changes.entries)),
        INSERT.rows(rows(batch, |changes| &changes.new_entries)),
    ]
}

const APP: BatchColumn = ("app_no", Kind::Int);
const MAILBOX_ID: BatchColumn = ("mailbox_id", Kind::Int);
const BOX: BatchColumn = ("box", Kind::Int);

/// Entries by their keys.
pub static READ: Statement = Statement::with_rows(
    "msgbox.read",
    0,
    &[APP, MAILBOX_ID, BOX, ("message_id", Kind::Uuid)],
    concat!(
        "SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM r
         CROSS JOIN msgbox e WHERE e.app_no = r.app_no AND e.mailbox_id = r.mailbox_id
         AND e.box = r.box AND e.message_id = r.message_id"
    ),
);

/// The oldest `$1` + 1 entries of boxes that were created up to a number; `$2` is greater than any
/// message id.
pub static READ_PARTS: Statement = Statement::with_rows(
    "msgbox.read_parts",
    2,
    &[APP, MAILBOX_ID, BOX, ("until_seq", Kind::Int)],
    concat!(
        ", part AS MATERIALIZED (
             SELECT r.app_no, r.mailbox_id, r.box, r.until_seq, coalesce((
                 SELECT o.message_id FROM msgbox o WHERE o.app_no = r.app_no
                 AND o.mailbox_id = r.mailbox_id AND o.box = r.box AND o.create_seq <= r.until_seq
                 ORDER BY o.message_id LIMIT 1 OFFSET $1
             ), $2) AS last FROM r
         )
         SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM part
         CROSS JOIN {each msgbox e WHERE e.app_no = part.app_no AND e.mailbox_id = part.mailbox_id
             AND e.box = part.box AND e.message_id <= part.last
             AND e.create_seq <= part.until_seq}"
    ),
);

/// The oldest `$1` + 1 entries of boxes; of a box with fewer, all: `$2` is greater than any
/// message id. The last id of each box is found first, once.
pub static READ_OLDEST: Statement = Statement::with_rows(
    "msgbox.read_oldest",
    2,
    &[APP, MAILBOX_ID, BOX],
    concat!(
        ", due AS MATERIALIZED (
             SELECT r.app_no, r.mailbox_id, r.box, coalesce((
                 SELECT o.message_id FROM msgbox o WHERE o.app_no = r.app_no
                 AND o.mailbox_id = r.mailbox_id AND o.box = r.box
                 ORDER BY o.message_id LIMIT 1 OFFSET $1
             ), $2) AS last FROM r
         )
         SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM due CROSS JOIN msgbox e WHERE e.app_no = due.app_no AND e.mailbox_id = due.mailbox_id
         AND e.box = due.box AND e.message_id <= due.last"
    ),
);

/// The oldest `$2` + 1 entries of boxes among those that have expired at `$1`; `$3` is greater
/// than any message id.
pub static READ_EXPIRED: Statement = Statement::with_rows(
    "msgbox.read_expired",
    3,
    &[APP, MAILBOX_ID, BOX],
    concat!(
        ", part AS MATERIALIZED (
             SELECT r.app_no, r.mailbox_id, r.box, coalesce((
                 SELECT o.message_id FROM msgbox o WHERE o.app_no = r.app_no
                 AND o.mailbox_id = r.mailbox_id AND o.box = r.box AND o.expire_ms <= $1
                 ORDER BY o.message_id LIMIT 1 OFFSET $2
             ), $3) AS last FROM r
         )
         SELECT e.app_no, e.mailbox_id, ",
        entry_columns!(),
        " FROM part
         CROSS JOIN {each msgbox e WHERE e.app_no = part.app_no AND e.mailbox_id = part.mailbox_id
             AND e.box = part.box AND e.message_id <= part.last AND e.expire_ms <= $1}"
    ),
);

/// The first expiry after `$1` in each mailbox, or null.
pub static NEXT_EXPIRY: Statement = Statement::with_rows(
    "msgbox.next_expiry",
    1,
    &[APP, MAILBOX_ID],
    "SELECT r.app_no, r.mailbox_id, (
         SELECT min(e.expire_ms) FROM msgbox e WHERE e.app_no = r.app_no
         AND e.mailbox_id = r.mailbox_id AND e.expire_ms > $1
     ) FROM r",
);

/// The numbers of unread entries of mailboxes that note a sender, `$1` at most.
pub static UNREAD_OF_SENDERS: Statement = Statement::with_rows(
    "msgbox.unread_of_senders",
    1,
    &[APP, MAILBOX_ID, ("sender_id", Kind::Int)],
    "SELECT r.app_no, r.mailbox_id, r.sender_id, (
         SELECT count(*) FROM (
             SELECT 1 FROM msgbox e WHERE e.app_no + 0 = r.app_no
             AND e.mailbox_id = r.mailbox_id AND e.sender_id = r.sender_id
             AND e.sender_id IS NOT NULL AND e.read_ms IS NULL LIMIT $1
         ) AS unread
     ) FROM r",
);

impl<DB: Backend> RowReader<DB> {
    /// Reads the box of an entry or tombstone.
    pub fn msgbox(&mut self) -> Result<Msgbox, Error> {
        self.column("msgbox", "box")
    }
}
