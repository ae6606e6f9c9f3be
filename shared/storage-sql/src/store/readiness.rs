//! Readiness: the store knows the time, answers and takes writes.

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

/// Time to wait for the write lock where there is only one writer. After that another writer,
/// perhaps of another process, is active, which is proof enough.
const WRITE_LOCK_TIMEOUT: Duration = Duration::from_secs(1);

pub static PING: Statement = Statement::new(
    "server.ping",
    0,
    "UPDATE server SET epoch = epoch WHERE server_no = 1",
);

impl<DB: Backend> SqlStore<DB> {
    pub(super) async fn answers(&self) -> Result<(), Error> {
        self.clock.now()?;
        if !self.pools.write.is_exhausted() {
            // In a task of its own: it keeps its connection if nobody waits for it any more.
            let ping = tokio::spawn(ping(self.pools.write.clone()));
            let pinged = match DB::WRITERS_MAX {
                1 => timeout(WRITE_LOCK_TIMEOUT, ping).await.ok(),
                _ => Some(ping.await),
            };
            if let Some(pinged) = pinged {
                return pinged.map_err(|error| Error::Internal(error.into()))?;
            }
        }
        // Others write: waiting behind them would prove nothing more.
        epoch::current(&self.pools).await.map(drop)
    }
}

/// Writes, and rolls back.
async fn ping<DB: Backend>(pool: Pool<DB>) -> Result<(), Error> {
    let mut transaction = Transaction::begin(&pool).await?;
    transaction
        .connection()
        .execute(BoundStatement::of(&PING))
        .await?;
    transaction.rollback().await
}
