//! All that differs between the databases.

mod codec;
mod postgres;
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::Database;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use uuid::Uuid;

pub use codec::{Codec, Run};

use crate::db::bind::ColumnValues;
use crate::db::dialect::Dialect;
use crate::db::error::ErrorClass;
use crate::db::notification::NotificationHandler;
use crate::db::pool::Pool;
use crate::options::Options;

/// The connections to a database: some that write, some that read.
pub struct Pools<DB: Database> {
    pub write: Pool<DB>,
    pub read: Pool<DB>,
}

impl<DB: Database> Pools<DB> {
    /// Ends all connections, after what they are doing.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// What connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Calls, which somebody waits for.
    Service,
    /// The schema: a step takes as long as it takes.
    Schema,
}

/// What became of a transaction whose commit was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    Committed,
    Aborted,
    InProgress,
    /// Nobody can tell.
    Unknown,
}

/// A database that can hold mailboxes.
pub trait Backend:
    Run
    + Codec<Option<i64>>
    + Codec<Option<String>>
    + Codec<Option<Vec<u8>>>
    + Codec<Option<Uuid>>
    + Sync
{
    /// How it says what the two say differently.
    const DIALECT: Dialect;
    /// Begins a transaction that writes.
    const BEGIN: &'static str;
    /// Begins a transaction in which all reads see one snapshot.
    const BEGIN_SNAPSHOT: &'static str;
    /// How many transactions can write at once.
    const WRITERS_MAX: usize;
    /// How long it takes to answer anything; a connection that takes longer leads nowhere.
    const ANSWERS_WITHIN: Duration;
    /// Whether the server migrates it by itself.
    const MIGRATES_ITSELF: bool;

    /// Opens the pools. Does not wait for a database that is away.
    ///
    /// # Errors
    /// The url is none of this database.
    fn pools(options: &Options, purpose: Purpose) -> Result<Pools<Self>, sqlx::Error>;

    /// Its schema, step by step.
    fn migrator() -> &'static Migrator;

    /// Adds the rows of a batch to the arguments.
    ///
    /// # Errors
    /// A value cannot be encoded.
    fn bind_rows(
        arguments: &mut Self::Arguments,
        columns: Vec<ColumnValues>,
        rows: usize,
    ) -> Result<(), sqlx::error::BoxDynError>;

    /// How many rows a statement changed.
    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// What kind of error it is.
    fn classify(error: &sqlx::Error) -> ErrorClass;

    /// Whether it says that a table is not there.
    fn is_missing_table(error: &sqlx::Error) -> bool;

    /// Listens to the other stores on the database; none: there is nothing to hear.
    fn listen(url: String, handler: Arc<dyn NotificationHandler>)
    -> Option<BoxFuture<'static, ()>>;

    /// What became of a transaction.
    fn transaction_status<'a>(
        connection: &'a mut PoolConnection<Self>,
        xid: &'a str,
    ) -> BoxFuture<'a, Result<TransactionStatus, sqlx::Error>>;
}
