//! Table `msgbox_deleted`: the tombstones of entries, which the feed reports as deletions.

use domain::ledger::{Changes, Tombstone};
use domain::{MessageId, Millis, Msgbox};

use super::{BatchChanges, rows};
use crate::db::column::written_columns;
use crate::db::row_statement::{RowStatement, TableWrite};

written_columns! {
    static COLUMNS: |tombstone: Tombstone| {
        Key mailbox_id: i64 = tombstone.mailbox_id;
        Key seq: i64 = tombstone.seq;
        Fixed msgbox as "box": Msgbox = tombstone.msgbox;
        Fixed message_id: MessageId = tombstone.message_id;
        Fixed delete_ms: Millis = tombstone.delete_ms;
    }
}

written_columns! {
    static FLOOR: |floor: (i64, i64)| {
        Key mailbox_id: i64 = floor.0;
        Mutable floor_seq: i64 = floor.1;
    }
}

pub static INSERT: RowStatement<Tombstone> =
    RowStatement::insert("msgbox_deleted.insert", "msgbox_deleted", &[COLUMNS]);

/// Deletes the tombstones up to the floor of their mailbox.
pub static TRIM: RowStatement<(i64, i64)> = RowStatement::text(
    "msgbox_deleted.trim",
    "msgbox_deleted",
    &[FLOOR],
    ", old AS MATERIALIZED (
         SELECT d.app_no, d.mailbox_id, d.seq FROM r
         CROSS JOIN {each msgbox_deleted d WHERE d.app_no = r.app_no
             AND d.mailbox_id = r.mailbox_id AND d.seq <= r.floor_seq}
     )
     DELETE FROM msgbox_deleted WHERE (app_no, mailbox_id, seq) IN (
         SELECT old.app_no, old.mailbox_id, old.seq FROM old
     )",
);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![
        INSERT.rows(rows(batch, |changes| &changes.tombstones)),
        TRIM.rows_of_any_effect(rows(batch, floors)),
    ]
}

fn floors(changes: &Changes) -> impl Iterator<Item = (i64, i64)> {
    let floors = changes.floors.iter();
    floors.map(|(mailbox_id, floor_seq)| (*mailbox_id, *floor_seq))
}
