//! Connections: running statements, and ending transactions.

use std::io;
use std::time::Instant;

use futures::future::BoxFuture;
use storage::Error;
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::db::backend::{Backend, TransactionStatus};
use crate::db::bind::{BoundStatement, Value};
use crate::db::error::{ErrorClass, miscounted};
use crate::db::isolation::Isolation;
use crate::db::pool::{Holder, Pool, PooledConnection};
use crate::db::row::RowReader;
use crate::db::row_statement::TableWrite;

/// A connection of a pool.
pub struct Connection<DB: Backend>(PooledConnection<DB>);

impl<DB: Backend> Connection<DB> {
    /// Takes a connection out of a pool, for the service's own work.
    pub async fn of(pool: &Pool<DB>) -> Result<Self, Error> {
        Self::held_by(pool, Holder::SERVICE).await
    }

    /// Takes a connection out of a pool, in the turn of its holder.
    async fn held_by(pool: &Pool<DB>, holder: Holder) -> Result<Self, Error> {
        pool.take_for(holder).await.map(Self).map_err(wrap::<DB>)
    }

    /// Time at which the connection was opened, or slightly later.
    pub const fn opened(&self) -> Instant {
        self.0.opened()
    }

    /// Runs a statement, and returns its rows.
    pub async fn fetch(&mut self, bound: BoundStatement) -> Result<Vec<RowReader<DB>>, Error> {
        let (name, text) = named_text::<DB>(&bound);
        let arguments = arguments::<DB>(bound)?;
        let rows = self
            .run(name, |connection| DB::fetch(connection, text, arguments))
            .await
            .map_err(wrap::<DB>)?;
        Ok(rows.into_iter().map(RowReader::new).collect())
    }

    /// Runs a statement of at most one row, and returns it.
    pub async fn fetch_one(
        &mut self,
        bound: BoundStatement,
    ) -> Result<Option<RowReader<DB>>, Error> {
        let (name, text) = named_text::<DB>(&bound);
        let arguments = arguments::<DB>(bound)?;
        let row = self
            .run(name, |connection| {
                DB::fetch_one(connection, text, arguments)
            })
            .await
            .map_err(wrap::<DB>)?;
        Ok(row.map(RowReader::new))
    }

    /// Runs a statement, and returns the number of rows that it changed.
    pub async fn execute(&mut self, bound: BoundStatement) -> Result<u64, Error> {
        let (name, text) = named_text::<DB>(&bound);
        let arguments = arguments::<DB>(bound)?;
        let result = self
            .run(name, |connection| DB::execute(connection, text, arguments))
            .await
            .map_err(wrap::<DB>)?;
        Ok(DB::rows_affected(&result))
    }

    /// Runs a command that begins or ends a transaction.
    async fn command(&mut self, name: &'static str, text: &'static str) -> sqlx::Result<()> {
        self.run(name, |connection| DB::command(connection, text))
            .await
            .map(drop)
    }

    /// Runs a statement or command in a span of its own, and measures it under its name.
    async fn run<T>(
        &mut self,
        name: &'static str,
        send: impl for<'a> FnOnce(&'a mut DB::Connection) -> BoxFuture<'a, sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        let span = tracing::debug_span!(
            "db.query",
            otel.name = name,
            otel.kind = "client",
            db.query.summary = name
        );
        let started = Instant::now();
        let answer = self.answer(send).instrument(span).await;
        let (metrics, elapsed) = (self.0.statement_metrics(), started.elapsed());
        match &answer {
            Ok(_) => metrics.succeeded(name, elapsed),
            Err(error) => metrics.failed(name, DB::classify(error).name(), elapsed),
        }
        answer
    }

    /// Sends a statement, and returns the answer. A connection that does not answer within the
    /// time limit of its pool is closed. If the database is unavailable to it, so are the idle
    /// ones, which were opened before.
    async fn answer<T>(
        &mut self,
        send: impl for<'a> FnOnce(&'a mut DB::Connection) -> BoxFuture<'a, sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        let answer_timeout = self.0.answer_timeout();
        let answer = timeout(answer_timeout, send(self.0.begin_use()?)).await;
        let Ok(answer) = answer else {
            self.0.discard();
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        };
        match answer {
            Ok(answer) => {
                self.0.mark_clean();
                Ok(answer)
            }
            Err(error) => {
                self.0.mark_failed();
                // Of a session that may stay as it is, such as one of a read-only standby.
                if DB::classify(&error) == ErrorClass::Unavailable {
                    self.0.discard_with_idle();
                }
                Err(error)
            }
        }
    }

    /// Writes rows; runs nothing if there are none.
    ///
    /// # Errors
    /// [`Error::Internal`] if an exact write changed another number of rows.
    pub async fn write(&mut self, write: TableWrite) -> Result<(), Error> {
        if write.is_exact {
            return self.change(write.table, write.statement).await;
        }
        if !write.statement.is_empty() {
            self.execute(write.statement).await?;
        }
        Ok(())
    }

    /// Runs a statement that must change as many rows as its batch has; nothing if that is
    /// empty.
    ///
    /// # Errors
    /// [`Error::Internal`] if it changed another number of rows.
    pub async fn change(
        &mut self,
        table: &'static str,
        bound: BoundStatement,
    ) -> Result<(), Error> {
        if bound.is_empty() {
            return Ok(());
        }
        let expected = bound.rows;
        let actual = self.execute(bound).await?;
        if actual == expected as u64 {
            Ok(())
        } else {
            Err(miscounted(table, expected, actual))
        }
    }
}

/// A transaction. Dropped before its end, it is rolled back in the background, after the answer to
/// its last statement; until then its connection keeps its place in the pool. After an error the
/// connection is closed.
pub struct Transaction<DB: Backend> {
    connection: Connection<DB>,
    is_ended: bool,
}

impl<DB: Backend> Transaction<DB> {
    /// Begins a transaction that writes.
    pub async fn begin(pool: &Pool<DB>) -> Result<Self, Error> {
        Self::begin_with(pool, Holder::SERVICE, DB::BEGIN).await
    }

    /// Begins a transaction that writes, and waits for a lock for a moment only.
    pub async fn begin_brief(pool: &Pool<DB>) -> Result<Self, Error> {
        let transaction = Self::begin(pool).await?;
        transaction
            .set("transaction.wait_briefly", DB::WAIT_BRIEFLY)
            .await
    }

    /// Begins a transaction that writes, and may use an index that only yields bitmaps.
    pub async fn begin_with_bitmaps(pool: &Pool<DB>) -> Result<Self, Error> {
        let transaction = Self::begin(pool).await?;
        transaction
            .set("transaction.allow_bitmaps", DB::ALLOW_BITMAPS)
            .await
    }

    async fn set(mut self, name: &'static str, text: &'static str) -> Result<Self, Error> {
        let set = self.connection.command(name, text).await;
        set.map_err(wrap::<DB>)?;
        Ok(self)
    }

    /// Begins a transaction in which all reads see one snapshot.
    async fn begin_snapshot(pool: &Pool<DB>, holder: Holder) -> Result<Self, Error> {
        Self::begin_with(pool, holder, DB::BEGIN_SNAPSHOT).await
    }

    async fn begin_with(
        pool: &Pool<DB>,
        holder: Holder,
        text: &'static str,
    ) -> Result<Self, Error> {
        let connection = Connection::held_by(pool, holder).await?;
        let mut transaction = Self {
            connection,
            is_ended: false,
        };
        let begun = transaction
            .connection
            .command("transaction.begin", text)
            .await;
        begun.map_err(wrap::<DB>)?;
        Ok(transaction)
    }

    /// Commits. The error is the database's own: the caller must tell what it means.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.connection
            .command("transaction.commit", "COMMIT")
            .await?;
        self.is_ended = true;
        Ok(())
    }

    /// Rolls back.
    pub async fn rollback(mut self) -> Result<(), Error> {
        let ended = self
            .connection
            .command("transaction.rollback", "ROLLBACK")
            .await;
        ended.map_err(wrap::<DB>)?;
        self.is_ended = true;
        Ok(())
    }

    /// The connection, to run statements.
    pub const fn connection(&mut self) -> &mut Connection<DB> {
        &mut self.connection
    }
}

impl<DB: Backend> Drop for Transaction<DB> {
    fn drop(&mut self) {
        if self.is_ended {
            return;
        }
        match self.connection.0.take_abandoned() {
            Some(connection) => drop(tokio::spawn(roll_back(Connection::<DB>(connection)))),
            None => self.connection.0.discard(),
        }
    }
}

/// Rolls an abandoned transaction back, once its last statement is answered.
async fn roll_back<DB: Backend>(mut connection: Connection<DB>) {
    let ended = connection.command("transaction.rollback", "ROLLBACK").await;
    if ended.is_err() {
        connection.0.discard();
    }
}

/// A connection for a read, by isolation.
pub enum ReadView<DB: Backend> {
    Statement(Connection<DB>),
    Snapshot(Transaction<DB>),
}

impl<DB: Backend> ReadView<DB> {
    /// Begins a read.
    pub async fn of(pool: &Pool<DB>, holder: Holder, sight: Isolation) -> Result<Self, Error> {
        Ok(match sight {
            Isolation::Statement => Self::Statement(Connection::held_by(pool, holder).await?),
            Isolation::Snapshot => Self::Snapshot(Transaction::begin_snapshot(pool, holder).await?),
        })
    }

    /// The connection, to run statements.
    pub const fn connection(&mut self) -> &mut Connection<DB> {
        match self {
            Self::Statement(connection) => connection,
            Self::Snapshot(transaction) => transaction.connection(),
        }
    }

    /// Ends the read.
    pub async fn end(self) -> Result<(), Error> {
        match self {
            Self::Statement(_) => Ok(()),
            Self::Snapshot(transaction) => transaction.rollback().await,
        }
    }

    /// Ends the read, and returns its result.
    pub async fn end_with<T>(self, read: Result<T, Error>) -> Result<T, Error> {
        let result = read?;
        self.end().await?;
        Ok(result)
    }
}

/// Runs statements in one transaction, and returns the number of rows that the last one
/// changed. In a task of its own: it runs to its end even if the caller goes away.
pub async fn transact<DB: Backend>(
    pool: &Pool<DB>,
    statements: Vec<BoundStatement>,
) -> Result<u64, Error> {
    let pool = pool.clone();
    let task = tokio::spawn(async move {
        let mut transaction = Transaction::begin(&pool).await?;
        let mut changed = 0;
        for statement in statements {
            changed = transaction.connection().execute(statement).await?;
        }
        transaction.commit().await.map_err(wrap::<DB>)?;
        Ok(changed)
    });
    task.await.map_err(|error| Error::Internal(error.into()))?
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

/// Returns the store's error for a database error.
pub fn wrap<DB: Backend>(error: sqlx::Error) -> Error {
    DB::classify(&error).wrap(error)
}

/// Returns the name of a statement, and its text for a database.
fn named_text<DB: Backend>(bound: &BoundStatement) -> (&'static str, &'static str) {
    let statement = bound.statement;
    (statement.name(), statement.text(&DB::DIALECT))
}

/// Encodes the values of a statement.
fn arguments<DB: Backend>(bound: BoundStatement) -> Result<DB::Arguments, Error> {
    debug_assert_eq!(bound.scalars.len(), bound.statement.scalars());
    let mut arguments = DB::Arguments::default();
    let encoded = bound
        .scalars
        .into_iter()
        .try_for_each(|value| match value {
            Value::Int(value) => DB::add(&mut arguments, value),
            Value::Text(value) => DB::add(&mut arguments, value),
            Value::Bytes(value) => DB::add(&mut arguments, value),
            Value::Uuid(value) => DB::add(&mut arguments, value),
        })
        .and_then(|()| DB::bind_rows(&mut arguments, bound.columns, bound.rows));
    encoded.map_err(Error::Internal)?;
    Ok(arguments)
}
