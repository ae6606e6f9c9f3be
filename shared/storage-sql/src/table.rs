//! The tables, one file each: the columns, named once with the Rust values that they hold, and
//! the statements that lock and write the rows. `read` and `upkeep` have queries of their own.

pub mod app;
pub mod app_usage;
pub mod audit;
pub mod audit_head;
pub mod audit_id;
pub mod block;
pub mod bulk;
pub mod conversation;
pub mod erasure;
pub mod mailbox;
pub mod message;
pub mod msgbox;
pub mod msgbox_deleted;
pub mod participant;
pub mod request;
pub mod revocation;
pub mod send_job;
pub mod tally;

use domain::ledger::Changes;

use crate::db::row_statement::TableWrite;

/// The changes of a batch, by the numbers of their apps.
pub type BatchChanges = [(i64, Changes)];

/// The writes of a batch to each table, in the order in which the rows are locked.
pub const WRITES: [fn(&BatchChanges) -> Vec<TableWrite>; 14] = [
    app::writes,
    bulk::writes,
    conversation::writes,
    message::writes,
    send_job::writes,
    msgbox::writes,
    msgbox_deleted::writes,
    mailbox::writes,
    block::writes,
    participant::writes,
    tally::writes,
    app_usage::writes,
    revocation::writes,
    erasure::writes,
];

/// Returns rows of all apps, each with its app.
fn rows<'a, T: 'a, I>(
    batch: &'a BatchChanges,
    rows: impl Fn(&'a Changes) -> I,
) -> impl Iterator<Item = (i64, T)>
where
    I: IntoIterator<Item = T>,
{
    batch.iter().flat_map(move |(app_no, changes)| {
        let app_no = *app_no;
        rows(changes).into_iter().map(move |row| (app_no, row))
    })
}
