//! The statements that write what a batch has changed, one for each kind of change.

use crate::db::dialect::{Column, Kind};
use crate::db::statement::Statement;

const APP: Column = ("app_no", Kind::Int);
const MAILBOX: Column = ("mailbox_id", Kind::Int);
const BOX: Column = ("box", Kind::Int);
const MESSAGE: Column = ("message_id", Kind::Uuid);

pub static SETTINGS: Statement = Statement::with_rows(
    0,
    &[APP, ("settings", Kind::Text)],
    "UPDATE app SET settings = r.settings FROM r WHERE app.app_no = r.app_no",
);

pub static NEW_MESSAGES: Statement = Statement::with_rows(
    0,
    &[
        APP,
        MESSAGE,
        ("kind", Kind::Int),
        ("sender_profile_id", Kind::Text),
        ("sender_name", Kind::Text),
        ("sender_pic", Kind::Text),
        ("recipients", Kind::Text),
        ("notification", Kind::Bytes),
        ("version", Kind::Int),
        ("modified", Kind::Int),
        ("send_ms", Kind::Int),
        ("update_ms", Kind::Int),
        ("expire_ms", Kind::Int),
        ("content_kind", Kind::Int),
        ("digest", Kind::Bytes),
        ("content", Kind::Bytes),
        ("size_bytes", Kind::Int),
        ("job_id", Kind::Uuid),
        ("recipient_count", Kind::Int),
    ],
    "INSERT INTO message (app_no, message_id, kind, sender_profile_id, sender_name, sender_pic,
         recipients, notification, version, modified, send_ms, update_ms, expire_ms,
         content_kind, digest, content, size_bytes, job_id, recipient_count)
     SELECT r.app_no, r.message_id, r.kind, r.sender_profile_id, r.sender_name, r.sender_pic,
         r.recipients, r.notification, r.version, r.modified, r.send_ms, r.update_ms, r.expire_ms,
         r.content_kind, r.digest, r.content, r.size_bytes, r.job_id, r.recipient_count FROM r",
);

pub static CONTENTS: Statement = Statement::with_rows(
    0,
    &[
        APP,
        MESSAGE,
        ("version", Kind::Int),
        ("update_ms", Kind::Int),
        ("content_kind", Kind::Int),
        ("digest", Kind::Bytes),
        ("content", Kind::Bytes),
        ("size_bytes", Kind::Int),
    ],
    "UPDATE message SET version = r.version, modified = 1, update_ms = r.update_ms,
         content_kind = r.content_kind, digest = r.digest, content = r.content,
         size_bytes = r.size_bytes
     FROM r WHERE message.app_no = r.app_no AND message.message_id = r.message_id",
);

pub static GONE_MESSAGES: Statement = Statement::with_rows(
    0,
    &[APP, MESSAGE],
    "DELETE FROM message WHERE (app_no, message_id) IN (SELECT r.app_no, r.message_id FROM r)",
);

pub static RECALLED_MESSAGES: Statement = Statement::with_rows(
    0,
    &[
        APP,
        MESSAGE,
        ("recall_ms", Kind::Int),
        ("content", Kind::Bytes),
    ],
    "UPDATE message SET recall_ms = r.recall_ms, content = r.content, size_bytes = 0
     FROM r WHERE message.app_no = r.app_no AND message.message_id = r.message_id",
);

pub static BULK_HEADS: Statement = Statement::with_rows(
    0,
    &[APP, ("bulk_head", Kind::Int)],
    "UPDATE app SET bulk_head = r.bulk_head FROM r WHERE app.app_no = r.app_no",
);

pub static BULK_EVENTS: Statement = Statement::with_rows(
    0,
    &[
        APP,
        ("bulk_no", Kind::Int),
        ("what", Kind::Int),
        MESSAGE,
        ("audience", Kind::Int),
        ("expire_ms", Kind::Int),
    ],
    "INSERT INTO bulk (app_no, bulk_no, what, message_id, audience, expire_ms)
     SELECT r.app_no, r.bulk_no, r.what, r.message_id, r.audience, r.expire_ms FROM r",
);

/// Adds, without having read: nothing is decided by these numbers.
pub static TALLIES: Statement = Statement::with_rows(
    0,
    &[
        APP,
        MESSAGE,
        ("slot", Kind::Int),
        ("settled", Kind::Int),
        ("read", Kind::Int),
        ("deleted", Kind::Int),
    ],
    "INSERT INTO bulk_tally (app_no, message_id, slot, settled, read, deleted)
     SELECT r.app_no, r.message_id, r.slot, r.settled, r.read, r.deleted FROM r
     WHERE true ORDER BY r.ord
     ON CONFLICT (app_no, message_id, slot) DO UPDATE SET
         settled = bulk_tally.settled + excluded.settled, read = bulk_tally.read + excluded.read,
         deleted = bulk_tally.deleted + excluded.deleted",
);

pub static JOBS: Statement = Statement::with_rows(
    0,
    &[
        APP,
        ("job_id", Kind::Uuid),
        MESSAGE,
        ("state", Kind::Int),
        ("run_no", Kind::Int),
        ("next_chunk", Kind::Int),
        ("accepted", Kind::Int),
        ("duplicates", Kind::Int),
        ("delivered", Kind::Int),
        ("full_inboxes", Kind::Int),
        ("failed", Kind::Int),
        ("change_turn", Kind::Int),
        ("change_chunk", Kind::Int),
        ("change_chunks", Kind::Int),
        ("change_left", Kind::Int),
        ("change_waits", Kind::Int),
        ("step_ms", Kind::Int),
        ("expire_ms", Kind::Int),
        ("is_due", Kind::Int),
    ],
    "UPDATE send_job SET message_id = r.message_id, state = r.state, run_no = r.run_no,
         next_chunk = r.next_chunk, accepted = r.accepted, duplicates = r.duplicates,
         delivered = r.delivered, full_inboxes = r.full_inboxes, failed = r.failed,
         change_turn = r.change_turn, change_chunk = r.change_chunk,
         change_chunks = r.change_chunks, change_left = r.change_left,
         change_waits = r.change_waits,
         step_ms = r.step_ms, expire_ms = r.expire_ms, is_due = r.is_due
     FROM r WHERE send_job.app_no = r.app_no AND send_job.job_id = r.job_id",
);

const ENTRY: [Column; 13] = [
    APP,
    MAILBOX,
    BOX,
    MESSAGE,
    ("seq", Kind::Int),
    ("create_seq", Kind::Int),
    ("create_ms", Kind::Int),
    ("update_ms", Kind::Int),
    ("version", Kind::Int),
    ("content_version", Kind::Int),
    ("read_ms", Kind::Int),
    ("delivered_ms", Kind::Int),
    ("expire_ms", Kind::Int),
];

pub static NEW_ENTRIES: Statement = Statement::with_rows(
    0,
    &ENTRY,
    "INSERT INTO msgbox (app_no, mailbox_id, box, message_id, seq, create_seq, create_ms,
         update_ms, version, content_version, read_ms, delivered_ms, expire_ms)
     SELECT r.app_no, r.mailbox_id, r.box, r.message_id, r.seq, r.create_seq, r.create_ms,
         r.update_ms, r.version, r.content_version, r.read_ms, r.delivered_ms, r.expire_ms FROM r",
);

pub static ENTRIES: Statement = Statement::with_rows(
    0,
    &ENTRY,
    "UPDATE msgbox SET seq = r.seq, update_ms = r.update_ms, version = r.version,
         content_version = r.content_version, read_ms = r.read_ms, delivered_ms = r.delivered_ms
     FROM r WHERE msgbox.app_no = r.app_no AND msgbox.mailbox_id = r.mailbox_id
         AND msgbox.box = r.box AND msgbox.message_id = r.message_id",
);

pub static GONE_ENTRIES: Statement = Statement::with_rows(
    0,
    &[APP, MAILBOX, BOX, MESSAGE],
    "DELETE FROM msgbox WHERE (app_no, mailbox_id, box, message_id) IN
         (SELECT r.app_no, r.mailbox_id, r.box, r.message_id FROM r)",
);

pub static TOMBSTONES: Statement = Statement::with_rows(
    0,
    &[
        APP,
        MAILBOX,
        ("seq", Kind::Int),
        BOX,
        MESSAGE,
        ("create_seq", Kind::Int),
        ("delete_ms", Kind::Int),
    ],
    "INSERT INTO msgbox_deleted (app_no, mailbox_id, seq, box, message_id, create_seq, delete_ms)
     SELECT r.app_no, r.mailbox_id, r.seq, r.box, r.message_id, r.create_seq, r.delete_ms FROM r",
);

pub static FLOORS: Statement = Statement::with_rows(
    0,
    &[APP, MAILBOX, ("floor_seq", Kind::Int)],
    "DELETE FROM msgbox_deleted WHERE (app_no, mailbox_id, seq) IN (
         SELECT d.app_no, d.mailbox_id, d.seq FROM r
         CROSS JOIN msgbox_deleted d WHERE d.app_no = r.app_no
         AND d.mailbox_id = r.mailbox_id AND d.seq <= r.floor_seq
     )",
);

pub static MAILBOXES: Statement = Statement::with_rows(
    0,
    &[
        APP,
        MAILBOX,
        ("seq", Kind::Int),
        ("floor_seq", Kind::Int),
        ("clock_ms", Kind::Int),
        ("inbox_total", Kind::Int),
        ("inbox_unread", Kind::Int),
        ("sent_total", Kind::Int),
        ("next_expiry_ms", Kind::Int),
        ("bulk_cursor", Kind::Int),
    ],
    "UPDATE mailbox SET seq = r.seq, floor_seq = r.floor_seq, clock_ms = r.clock_ms,
         inbox_total = r.inbox_total, inbox_unread = r.inbox_unread, sent_total = r.sent_total,
         next_expiry_ms = r.next_expiry_ms, bulk_cursor = r.bulk_cursor
     FROM r WHERE mailbox.app_no = r.app_no AND mailbox.mailbox_id = r.mailbox_id",
);
