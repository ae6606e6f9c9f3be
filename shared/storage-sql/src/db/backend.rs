//! The databases: all that differs between them.

mod codec;
pub mod postgres;
mod sqlite;

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::Database;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use uuid::Uuid;

pub use codec::{Codec, RunStatements};

use crate::db::bind::ColumnValues;
use crate::db::dialect::Dialect;
use crate::db::error::ErrorClass;
use crate::db::notification::NotificationHandler;
use crate::db::open_error::{OpenError, Unsuitable};
use crate::db::pool::Pool;
use crate::options::{Options, Timeouts};

/// The connection pools of a database: for writes, and for reads.
pub struct Pools<DB: Database> {
    pub write: Pool<DB>,
    pub read: Pool<DB>,
}

impl<DB: Database> Pools<DB> {
    /// Closes all connections, each after its current statement.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// The purpose of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Calls: statements have time limits.
    Service,
    /// Migrations: no time limits.
    Schema,
}

/// The status of a transaction whose commit was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    Committed,
    Aborted,
    InProgress,
    /// Not to be found out.
    Unknown,
}

/// A database that a store can be on.
pub trait Backend:
    RunStatements
    + Codec<Option<i64>>
    + Codec<Option<String>>
    + Codec<Option<Vec<u8>>>
    + Codec<Option<Uuid>>
    + Sync
{
    /// The SQL dialect.
    const DIALECT: Dialect;
    /// The name in metrics, from the semantic conventions.
    const SYSTEM: &'static str;
    /// Begins a transaction that writes.
    const BEGIN: &'static str;
    /// Lets a transaction wait for a lock for 50 ms only.
    const WAIT_BRIEFLY: &'static str;
    /// Lets the planner use bitmaps of indexes in a transaction.
    const ALLOW_BITMAPS: &'static str;
    /// Begins a transaction in which all reads see one snapshot.
    const BEGIN_SNAPSHOT: &'static str;
    /// Maximum number of concurrent transactions that write.
    const WRITERS_MAX: usize;
    /// Default time limits.
    const TIMEOUTS: Timeouts;
    /// True if opening a store migrates the schema.
    const MIGRATES_ITSELF: bool;

    /// Creates the pools. Connections are opened when first needed.
    ///
    /// # Errors
    /// The url is malformed, or the database is a file that cannot be accessed as the options ask.
    fn pools(options: &Options, purpose: Purpose) -> Result<Pools<Self>, OpenError>;

    /// Returns the migrations of the schema.
    fn migrator() -> &'static Migrator;

    /// Encodes the rows of a batch into arguments.
    ///
    /// # Errors
    /// A value cannot be encoded.
    fn bind_rows(
        arguments: &mut Self::Arguments,
        columns: Vec<ColumnValues>,
        rows: usize,
    ) -> Result<(), sqlx::error::BoxDynError>;

    /// Returns the number of rows that a statement changed.
    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// Returns the class of an error.
    fn classify(error: &sqlx::Error) -> ErrorClass;

    /// Returns whether the answer to a commit means that nothing was committed. Any other error is
    /// no answer of the transaction: it may come from a proxy, or after the fact.
    fn is_rolled_back(error: &sqlx::Error) -> bool;

    /// Returns whether the error is that of a missing table.
    fn is_missing_table(error: &sqlx::Error) -> bool;

    /// Returns why a database does not suit, whatever its schema; none if it does.
    fn unsuitable(
        connection: &mut PoolConnection<Self>,
    ) -> BoxFuture<'_, Result<Option<Unsuitable>, sqlx::Error>>;

    /// Returns a task that listens for notifications; none if the database has none.
    fn listen(url: String, handler: Arc<dyn NotificationHandler>)
    -> Option<BoxFuture<'static, ()>>;

    /// Returns the status of a transaction.
    fn transaction_status<'a>(
        connection: &'a mut PoolConnection<Self>,
        xid: &'a str,
    ) -> BoxFuture<'a, Result<TransactionStatus, sqlx::Error>>;
}
