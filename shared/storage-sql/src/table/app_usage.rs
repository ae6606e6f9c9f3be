//! Table `app_usage`: what is kept of an app, spread over slots.

use domain::AppUsage;
use domain::limits::USAGE_SLOTS;
use storage::Error;

use super::BatchChanges;
use crate::db::backend::Backend;
use crate::db::column::written_columns;
use crate::db::row::RowReader;
use crate::db::row_statement::{RowStatement, TableWrite};

/// The numbers that are added to one slot of an app.
pub struct UsageRow {
    pub slot: i64,
    pub usage: AppUsage,
}

written_columns! {
    static COLUMNS: |row: UsageRow| {
        Key slot: i64 = row.slot;
        Mutable bytes: i64 = row.usage.bytes;
        Mutable mailboxes: i64 = row.usage.mailboxes;
    }
}

/// Adds to the usage.
pub static ADD: RowStatement<UsageRow> = RowStatement::text(
    "app_usage.add",
    "app_usage",
    &[COLUMNS],
    "INSERT INTO app_usage (app_no, slot, bytes, mailboxes)
     SELECT r.app_no, r.slot, r.bytes, r.mailboxes FROM r
     WHERE true ORDER BY r.ord
     ON CONFLICT (app_no, slot) DO UPDATE SET
         bytes = app_usage.bytes + excluded.bytes,
         mailboxes = app_usage.mailboxes + excluded.mailboxes",
);

/// The usage of an app `a`, as far as it is counted.
macro_rules! usage_sums {
    () => {
        "(SELECT CAST(coalesce(sum(u.bytes), 0) AS bigint) FROM app_usage u
              WHERE u.app_no = a.app_no),
         (SELECT CAST(coalesce(sum(u.mailboxes), 0) AS bigint) FROM app_usage u
              WHERE u.app_no = a.app_no)"
    };
}
pub(crate) use usage_sums;

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    let changed = batch
        .iter()
        .filter(|(_, changes)| changes.usage != AppUsage::default());
    vec![ADD.rows(changed.map(|(app_no, changes)| {
        // Concurrent batches change other mailboxes.
        let first = changes.mailboxes.first();
        let row = UsageRow {
            slot: first.map_or(0, |mailbox| mailbox.mailbox_id % USAGE_SLOTS),
            usage: changes.usage,
        };
        (*app_no, row)
    }))]
}

impl<DB: Backend> RowReader<DB> {
    /// Reads [`usage_sums`].
    pub fn usage(&mut self) -> Result<AppUsage, Error> {
        Ok(AppUsage {
            bytes: self.int()?,
            mailboxes: self.int()?,
        })
    }
}
