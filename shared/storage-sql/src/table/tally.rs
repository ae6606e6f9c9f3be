//! Table `bulk_tally`: in how many mailboxes a message to everyone is, read or deleted, spread
//! over slots.

use domain::MessageId;
use domain::bulk::Tally;
use domain::limits::TALLY_SLOTS;

use super::BatchChanges;
use crate::db::column::written_columns;
use crate::db::row_statement::{RowStatement, TableWrite};

/// The numbers that are added to one slot of a message's tally.
pub struct TallyRow {
    message_id: MessageId,
    slot: i64,
    tally: Tally,
}

written_columns! {
    static COLUMNS: |row: TallyRow| {
        Key message_id: MessageId = row.message_id;
        Key slot: i64 = row.slot;
        Mutable settled: i64 = row.tally.settled;
        Mutable read: i64 = row.tally.read;
        Mutable deleted: i64 = row.tally.deleted;
    }
}

/// Adds to the tallies, which no batch reads.
pub static ADD: RowStatement<TallyRow> = RowStatement::text(
    "bulk_tally.add",
    "bulk_tally",
    &[COLUMNS],
    "INSERT INTO bulk_tally (app_no, message_id, slot, settled, read, deleted)
     SELECT r.app_no, r.message_id, r.slot, r.settled, r.read, r.deleted FROM r
     WHERE true ORDER BY r.ord
     ON CONFLICT (app_no, message_id, slot) DO UPDATE SET
         settled = bulk_tally.settled + excluded.settled, read = bulk_tally.read + excluded.read,
         deleted = bulk_tally.deleted + excluded.deleted",
);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![ADD.rows(batch.iter().flat_map(|(app_no, changes)| {
        // One slot for the whole batch: concurrent batches seldom wait for each other.
        let first = changes.mailboxes.first();
        let slot = first.map_or(0, |mailbox| mailbox.mailbox_id % TALLY_SLOTS);
        changes.tallies.iter().map(move |(message_id, tally)| {
            let row = TallyRow {
                message_id: *message_id,
                slot,
                tally: *tally,
            };
            (*app_no, row)
        })
    }))]
}
