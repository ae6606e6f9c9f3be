//! The mail store on `SQLite` and `PostgreSQL`, written once for both.
//!
//! From the ground up; a module uses only those above it in this list:
//!
//! - `options`, `ids`: how a store is opened, where its ids come from.
//! - `turns`: values by key that take turns.
//! - `db`: the databases. What differs between them (`backend`), pool, connection and
//!   transaction, statements, values and rows, errors, schema, epoch.
//! - `clock`: the time, checked against the database.
//! - `table`: the tables, one file each.
//! - `message_cache`, `broadcast`: messages in memory; LISTEN/NOTIFY between replicas.
//! - `audit`: pages, verification and erasure of the audit log.
//! - `write`: group commit. `lanes` gather operations, `executor` runs a batch of them.
//! - `read`: the queries of mailboxes, messages, pages and feeds.
//! - `segment`: the upload of a segment's recipients, by external merge sort.
//! - `jobs`: the runner of background jobs, and send jobs as its first kind.
//! - `upkeep`: expiry, trimming of tombstones, recounts.
//! - `store`, `open`: the ports of [`storage`], and opening a store by its URL.

mod audit;
mod broadcast;
mod clock;
mod db;
mod ids;
mod jobs;
mod message_cache;
mod open;
mod options;
mod read;
mod segment;
#[cfg(test)]
mod statement_catalogue;
mod store;
mod table;
mod turns;
mod upkeep;
mod write;

pub use clock::{CLOCK_SKEW, CheckedClock, SystemClock};
pub use db::backend::Backend;
pub use db::migrate::MigrationStatus;
pub use db::open_error::{OpenError, Unsuitable};
pub use ids::MonotonicIds;
pub use open::{database_link, migrate_status, migrate_up, open, open_backend};
pub use options::{
    AuditOptions, DatabaseLink, FileAccess, LaneOptions, Notify, Options, READ_CONNECTIONS,
    StoreClock, Timeouts, WRITE_CONNECTIONS,
};
pub use sqlx::{Postgres, Sqlite};
pub use store::SqlStore;
pub use write::operation::Verdict;
