//! Whether the store answers and takes writes.

use std::time::Duration;

use storage::Error;
use tokio::time::timeout;

use super::SqlStore;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Transaction;
use crate::db::epoch;
use crate::db::pool::Pool;
use crate::db::statement::Statement;

/// How long it may take until it is our turn to write, where only one can at a time; then
/// somebody else writes, perhaps another process.
const TURN_MAX: Duration = Duration::from_secs(1);

pub static PING: Statement = Statement::new(
    "server.ping",
    0,
    "UPDATE server SET epoch = epoch WHERE server_no = 1",
);

impl<DB: Backend> SqlStore<DB> {
    pub(super) async fn answers(&self) -> Result<(), Error> {
        if !self.pools.write.is_exhausted() {
            // In a task of its own: it keeps its connection if nobody waits for it any more.
            let ping = tokio::spawn(ping(self.pools.write.clone()));
            let pinged = match DB::WRITERS_MAX {
                1 => timeout(TURN_MAX, ping).await.ok(),
                _ => Some(ping.await),
            };
            if let Some(pinged) = pinged {
                return pinged.map_err(|error| Error::Internal(error.into()))?;
            }
        }
        // Somebody writes: to wait behind that would tell nothing more.
        epoch::current(&self.pools).await.map(drop)
    }
}

/// Writes, and takes it back.
async fn ping<DB: Backend>(pool: Pool<DB>) -> Result<(), Error> {
    let mut transaction = Transaction::begin(&pool).await?;
    transaction
        .connection()
        .execute(BoundStatement::of(&PING))
        .await?;
    transaction.rollback().await
}
