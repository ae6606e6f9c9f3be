//! Connections: how a statement is run, and how a transaction ends.

use std::io;
use std::time::Instant;

use futures::future::BoxFuture;
use storage::Error;
use tokio::time::timeout;

use crate::db::backend::{Backend, TransactionStatus};
use crate::db::bind::{BoundStatement, Value};
use crate::db::error::miscounted;
use crate::db::isolation::Isolation;
use crate::db::pool::{Pool, PooledConnection};
use crate::db::row::RowReader;

/// A connection of a pool.
pub struct Connection<DB: Backend>(PooledConnection<DB>);

impl<DB: Backend> Connection<DB> {
    /// Takes a connection out of a pool.
    pub async fn of(pool: &Pool<DB>) -> Result<Self, Error> {
        pool.take().await.map(Self).map_err(wrap::<DB>)
    }

    /// When it was opened: before that it led nowhere.
    pub const fn opened(&self) -> Instant {
        self.0.opened()
    }

    /// Runs a statement and takes its rows.
    pub async fn fetch(&mut self, call: BoundStatement) -> Result<Vec<RowReader<DB>>, Error> {
        let text = call.statement.text(&DB::DIALECT);
        let arguments = arguments::<DB>(call)?;
        let rows = self
            .answered(|connection| DB::fetch(connection, text, arguments))
            .await
            .map_err(wrap::<DB>)?;
        Ok(rows.into_iter().map(RowReader::new).collect())
    }

    /// Runs a statement that has one row at most, and takes it.
    pub async fn fetch_one(
        &mut self,
        call: BoundStatement,
    ) -> Result<Option<RowReader<DB>>, Error> {
        let text = call.statement.text(&DB::DIALECT);
        let arguments = arguments::<DB>(call)?;
        let row = self
            .answered(|connection| DB::fetch_one(connection, text, arguments))
            .await
            .map_err(wrap::<DB>)?;
        Ok(row.map(RowReader::new))
    }

    /// Runs a statement for what it does; how many rows it changed.
    pub async fn execute(&mut self, call: BoundStatement) -> Result<u64, Error> {
        let text = call.statement.text(&DB::DIALECT);
        let arguments = arguments::<DB>(call)?;
        let result = self
            .answered(|connection| DB::execute(connection, text, arguments))
            .await
            .map_err(wrap::<DB>)?;
        Ok(DB::rows_affected(&result))
    }

    /// Runs a command that begins or ends a transaction.
    async fn command(&mut self, text: &'static str) -> sqlx::Result<()> {
        self.answered(|connection| DB::command(connection, text))
            .await
            .map(drop)
    }

    /// The answer to a question. A connection that gives none is ended.
    async fn answered<T>(
        &mut self,
        ask: impl for<'a> FnOnce(&'a mut DB::Connection) -> BoxFuture<'a, sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        let answer = timeout(DB::ANSWERS_WITHIN, ask(self.0.begin_use()?)).await;
        let Ok(answer) = answer else {
            self.0.discard();
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        };
        let answer = answer?;
        self.0.mark_clean();
        Ok(answer)
    }

    /// Runs a statement that changes as many rows as it was given; not at all if none.
    pub async fn change(&mut self, what: &'static str, call: BoundStatement) -> Result<(), Error> {
        if call.is_empty() {
            return Ok(());
        }
        let expected = call.rows;
        let actual = self.execute(call).await?;
        if actual == expected as u64 {
            Ok(())
        } else {
            Err(miscounted(what, expected, actual))
        }
    }
}

/// A transaction. Unless it ends well, its connection is closed and not used again.
pub struct Transaction<DB: Backend> {
    connection: Connection<DB>,
    ended_well: bool,
}

impl<DB: Backend> Transaction<DB> {
    /// Begins a transaction that writes.
    pub async fn begin(pool: &Pool<DB>) -> Result<Self, Error> {
        Self::begin_with(pool, DB::BEGIN).await
    }

    /// Begins a transaction in which all reads see one snapshot.
    pub async fn begin_snapshot(pool: &Pool<DB>) -> Result<Self, Error> {
        Self::begin_with(pool, DB::BEGIN_SNAPSHOT).await
    }

    async fn begin_with(pool: &Pool<DB>, text: &'static str) -> Result<Self, Error> {
        let connection = Connection::of(pool).await?;
        let mut transaction = Self {
            connection,
            ended_well: false,
        };
        let begun = transaction.connection.command(text).await;
        begun.map_err(wrap::<DB>)?;
        Ok(transaction)
    }

    /// Makes it durable. The error is the database's own: whoever commits must know what
    /// to make of it.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.connection.command("COMMIT").await?;
        self.ended_well = true;
        Ok(())
    }

    /// Takes everything back.
    pub async fn rollback(mut self) -> Result<(), Error> {
        let ended = self.connection.command("ROLLBACK").await;
        ended.map_err(wrap::<DB>)?;
        self.ended_well = true;
        Ok(())
    }

    /// The connection, to run statements.
    pub const fn connection(&mut self) -> &mut Connection<DB> {
        &mut self.connection
    }
}

impl<DB: Backend> Drop for Transaction<DB> {
    fn drop(&mut self) {
        if !self.ended_well {
            self.connection.0.discard();
        }
    }
}

/// What a read sees: the latest, statement by statement, or one snapshot.
pub enum ReadView<DB: Backend> {
    Statement(Connection<DB>),
    Snapshot(Transaction<DB>),
}

impl<DB: Backend> ReadView<DB> {
    /// Begins to read.
    pub async fn of(pool: &Pool<DB>, sight: Isolation) -> Result<Self, Error> {
        Ok(match sight {
            Isolation::Statement => Self::Statement(Connection::of(pool).await?),
            Isolation::Snapshot => Self::Snapshot(Transaction::begin_snapshot(pool).await?),
        })
    }

    /// The connection, to run statements.
    pub const fn connection(&mut self) -> &mut Connection<DB> {
        match self {
            Self::Statement(connection) => connection,
            Self::Snapshot(transaction) => transaction.connection(),
        }
    }

    /// Ends.
    pub async fn end(self) -> Result<(), Error> {
        match self {
            Self::Statement(_) => Ok(()),
            Self::Snapshot(transaction) => transaction.rollback().await,
        }
    }

    /// Ends after a read, with what it found.
    pub async fn end_with<T>(self, read: Result<T, Error>) -> Result<T, Error> {
        let found = read?;
        self.end().await?;
        Ok(found)
    }
}

/// Runs statements in a transaction, in a task of its own: what has begun runs to its end.
/// How many rows the last one changed.
pub async fn transact<DB: Backend>(
    pool: &Pool<DB>,
    calls: Vec<BoundStatement>,
) -> Result<u64, Error> {
    let pool = pool.clone();
    let work = tokio::spawn(async move {
        let mut transaction = Transaction::begin(&pool).await?;
        let mut changed = 0;
        for call in calls {
            changed = transaction.connection().execute(call).await?;
        }
        transaction.commit().await.map_err(wrap::<DB>)?;
        Ok(changed)
    });
    work.await.map_err(|error| Error::Internal(error.into()))?
}

/// Returns the status of a transaction, looked up on a connection of its own.
pub async fn transaction_status<DB: Backend>(
    pool: &Pool<DB>,
    xid: &str,
) -> Result<TransactionStatus, sqlx::Error> {
    let mut connection = pool.take().await?;
    let status = DB::transaction_status(connection.begin_use()?, xid).await?;
    connection.mark_clean();
    Ok(status)
}

/// The store's error for a database's error.
pub fn wrap<DB: Backend>(error: sqlx::Error) -> Error {
    DB::classify(&error).wrap(error)
}

fn arguments<DB: Backend>(call: BoundStatement) -> Result<DB::Arguments, Error> {
    debug_assert_eq!(call.scalars.len(), call.statement.scalars());
    let mut arguments = DB::Arguments::default();
    let bound = call
        .scalars
        .into_iter()
        .try_for_each(|value| match value {
            Value::Int(value) => DB::add(&mut arguments, value),
            Value::Text(value) => DB::add(&mut arguments, value),
            Value::Bytes(value) => DB::add(&mut arguments, value),
            Value::Uuid(value) => DB::add(&mut arguments, value),
        })
        .and_then(|()| DB::bind_rows(&mut arguments, call.columns, call.rows));
    bound.map_err(Error::Internal)?;
    Ok(arguments)
}
