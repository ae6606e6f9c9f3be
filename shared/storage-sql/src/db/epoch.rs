//! Epochs: periods of a database in which its sequence numbers are comparable.
//!
//! The identity of the database is stored in it. After a restore or a move the actual identity
//! differs from the stored one, and a new epoch begins. A database that has no identity gets a
//! new epoch by `postroom new-epoch`.

use std::sync::{PoisonError, RwLock};

use storage::Error;
use uuid::Uuid;

use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, Transaction, wrap};
use crate::db::error::corrupt;
use crate::db::pool::Pool;
use crate::db::statement::Statement;

pub static LOOK: Statement = Statement::new(
    "server.identity",
    0,
    "SELECT s.epoch, s.identity, {identity} FROM server s WHERE s.server_no = 1",
);

pub static EPOCH: Statement = Statement::new(
    "server.epoch",
    0,
    "SELECT s.epoch FROM server s WHERE s.server_no = 1",
);

pub static ADOPT: Statement = Statement::new(
    "server.adopt_identity",
    1,
    "UPDATE server SET identity = $1 WHERE server_no = 1
         AND (identity IS NULL OR $1 LIKE identity || '/%')",
);

/// Succeeds for one store only, of all that see the new identity.
pub static REPLACE: Statement = Statement::new(
    "server.replace_epoch",
    2,
    "UPDATE server SET identity = $1, epoch = $2 WHERE server_no = 1 AND identity <> $1",
);

pub static BEGIN: Statement = Statement::new(
    "server.new_epoch",
    1,
    "UPDATE server SET epoch = $1 WHERE server_no = 1",
);

/// The epoch, as last read.
pub struct Epoch(RwLock<Uuid>);

impl Epoch {
    pub const fn new(epoch: Uuid) -> Self {
        Self(RwLock::new(epoch))
    }

    pub fn get(&self) -> Uuid {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the epoch, and returns whether it differs from the one before.
    pub fn set(&self, epoch: Uuid) -> bool {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, epoch) != epoch
    }
}

/// The epoch and identity of a database. An actual identity that continues the stored one is
/// the same database, of which an older program stored less.
struct StoredIdentity {
    epoch: Uuid,
    written: Option<String>,
    actual: Option<String>,
}

/// Returns the epoch; a new one if the identity has changed.
pub async fn current<DB: Backend>(pools: &Pools<DB>) -> Result<Uuid, Error> {
    let seen = look(&mut Connection::of(&pools.read).await?).await?;
    match seen.actual {
        Some(actual) if seen.written.as_ref() != Some(&actual) => {
            let says_more = |written: &String| actual.starts_with(&format!("{written}/"));
            let statement = if seen.written.as_ref().is_none_or(says_more) {
                BoundStatement::of(&ADOPT).bind(actual.as_str())
            } else {
                tracing::warn!(database.identity = actual, "database.replaced");
                BoundStatement::of(&REPLACE)
                    .bind(actual.as_str())
                    .bind(Uuid::new_v4())
            };
            change(pools.write.clone(), statement).await
        }
        _ => Ok(seen.epoch),
    }
}

/// Begins a new epoch, and returns it.
pub async fn begin<DB: Backend>(pools: &Pools<DB>) -> Result<Uuid, Error> {
    let statement = BoundStatement::of(&BEGIN).bind(Uuid::new_v4());
    change(pools.write.clone(), statement).await
}

/// Reads epoch and identity. Without the right to read the identity, reads the epoch alone.
async fn look<DB: Backend>(connection: &mut Connection<DB>) -> Result<StoredIdentity, Error> {
    match connection.fetch_one(BoundStatement::of(&LOOK)).await {
        Ok(row) => {
            let mut row = there(row)?;
            Ok(StoredIdentity {
                epoch: row.uuid()?,
                written: row.text_or_null()?,
                actual: row.text_or_null()?,
            })
        }
        Err(Error::Internal(source)) => {
            tracing::debug!(error.source = %source, "database.identity_unknown");
            Ok(StoredIdentity {
                epoch: written(connection).await?,
                written: None,
                actual: None,
            })
        }
        Err(error) => Err(error),
    }
}

async fn written<DB: Backend>(connection: &mut Connection<DB>) -> Result<Uuid, Error> {
    there(connection.fetch_one(BoundStatement::of(&EPOCH)).await?)?.uuid()
}

fn there<T>(row: Option<T>) -> Result<T, Error> {
    row.ok_or_else(|| corrupt("server", "epoch", &1))
}

/// Runs a change, and returns the epoch after it. In a task of its own: it runs to its end even
/// if the caller goes away.
async fn change<DB: Backend>(pool: Pool<DB>, statement: BoundStatement) -> Result<Uuid, Error> {
    let work = tokio::spawn(async move {
        let mut transaction = Transaction::begin(&pool).await?;
        let connection = transaction.connection();
        connection.execute(statement).await?;
        let epoch = written(connection).await?;
        transaction.commit().await.map_err(wrap::<DB>)?;
        Ok(epoch)
    });
    work.await.map_err(|error| Error::Internal(error.into()))?
}
