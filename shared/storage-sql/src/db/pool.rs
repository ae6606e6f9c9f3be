//! A connection pool that does not ping.
//!
//! sqlx's pool pings a connection when it is given back and again when it is taken: two round
//! trips for a read that needs one. Here a connection whose last statement was answered stays
//! outside of sqlx's pool, and the next caller takes it as it is. sqlx's pool only opens
//! connections: none is given back to it, because it would wait for ever for one whose
//! database fell silent.

mod permits;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::number::saturating;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Database};
use telemetry::{PoolMetrics, PoolState, StatementMetrics};
use tokio::time::timeout;

use crate::db::database_file::DatabaseFile;
pub use permits::Holder;
use permits::{Permit, Permits};

/// Idle time after which a connection is pinged before use.
const PING_AFTER: Duration = Duration::from_millis(100);
/// Maximum age of a connection; it is closed when next given back.
const AGE_MAX: Duration = Duration::from_mins(30);
/// Time in which a connection must open, which its caller may not wait for.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time in which a connection given back amid a statement must answer a ping.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(6);

/// A pool of connections, last in, first out. Clones share it.
pub struct Pool<DB: Database>(Arc<Shared<DB>>);

struct Shared<DB: Database> {
    /// Opens connections, and closes them.
    opener: sqlx::Pool<DB>,
    /// The file that the connections were opened on, for an embedded database.
    file: Option<DatabaseFile>,
    /// Idle connections, the last used at the end.
    idle: Mutex<Vec<Idle<DB>>>,
    /// Permits to hold a connection, as many as the pool may have.
    permits: Arc<Permits>,
    connections_max: usize,
    acquire_timeout: Duration,
    answer_timeout: Duration,
    metrics: PoolMetrics,
    statement_metrics: StatementMetrics,
}

struct Idle<DB: Database> {
    connection: PoolConnection<DB>,
    opened: Instant,
    last_used: Instant,
}

/// A connection taken out of a [`Pool`]; dropping it gives it back.
pub struct PooledConnection<DB: Database> {
    /// None once discarded or given back.
    connection: Option<PoolConnection<DB>>,
    opened: Instant,
    last_statement: LastStatement,
    pool: Pool<DB>,
    /// Held until the connection is given back, or has recovered.
    permit: Option<Permit>,
}

/// State of the last statement on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastStatement {
    /// Sent: the answer may still be under way.
    Sent,
    Succeeded,
    Failed,
}

impl<DB: Database> Pool<DB> {
    /// A pool over all connections of `opener`, which must have no other users; none is handed
    /// out once `file` was removed or replaced. A caller waits for `acquire_timeout`, a connection
    /// may take the opener's own timeout to open. Each statement is answered within
    /// `answer_timeout`. The names of the pool and of the database system appear in metrics.
    pub fn new(
        opener: sqlx::Pool<DB>,
        file: Option<DatabaseFile>,
        acquire_timeout: Duration,
        answer_timeout: Duration,
        name: &'static str,
        system: &'static str,
    ) -> Self {
        let options = opener.options();
        let connections_max: usize = saturating(options.get_max_connections());
        let shared = Arc::new(Shared {
            idle: Mutex::new(Vec::new()),
            permits: Permits::new(connections_max),
            connections_max,
            acquire_timeout,
            answer_timeout,
            opener,
            file,
            metrics: PoolMetrics::new(name),
            statement_metrics: StatementMetrics::new(system),
        });
        let observed = Arc::downgrade(&shared);
        shared.metrics.observe_connections(move || {
            observed.upgrade().map(|it| it.state()).unwrap_or_default()
        });
        Self(shared)
    }

    /// Takes a connection for the service's own work, as [`Self::take_for`] does.
    pub async fn take(&self) -> sqlx::Result<PooledConnection<DB>> {
        self.take_for(Holder::SERVICE).await
    }

    /// Takes a connection for a holder: an idle one, else a new one.
    ///
    /// # Errors
    /// `PoolTimedOut` if all, or those that the holder may have, stay in use for the acquire timeout,
    /// or an idle one does not answer; `PoolClosed`; `Io` if the file of an embedded database was
    /// removed or replaced; or the connection cannot be opened.
    pub async fn take_for(&self, holder: Holder) -> sqlx::Result<PooledConnection<DB>> {
        let started = Instant::now();
        let taken = self.take_unmeasured(holder).await;
        match &taken {
            Ok(_) => self.0.metrics.obtained(started.elapsed()),
            Err(sqlx::Error::PoolTimedOut) => self.0.metrics.timed_out(),
            Err(_) => {}
        }
        taken
    }

    async fn take_unmeasured(&self, holder: Holder) -> sqlx::Result<PooledConnection<DB>> {
        let permit = timeout(self.0.acquire_timeout, self.0.permits.acquire(holder));
        let permit = permit.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        if let Some(file) = &self.0.file {
            file.check()?;
        }
        let mut taken = PooledConnection {
            connection: None,
            opened: Instant::now(),
            last_statement: LastStatement::Succeeded,
            pool: self.clone(),
            permit: Some(permit),
        };
        while let Some(idle) = self.pop_idle() {
            let needs_ping = idle.last_used.elapsed() > PING_AFTER;
            taken.opened = idle.opened;
            taken.connection = Some(idle.connection);
            if !needs_ping || Box::pin(taken.is_alive(self.0.acquire_timeout)).await? {
                return Ok(taken);
            }
        }
        let opener = self.0.opener.clone();
        // In a task of its own: a connection that takes longer to open than its caller waits is
        // given back for the next one. Otherwise a slow database would never get any.
        let connecting = tokio::spawn(async move {
            taken.connection = Some(opener.acquire().await?);
            taken.opened = Instant::now();
            taken.mark_clean();
            Ok(taken)
        });
        let connected = timeout(self.0.acquire_timeout, connecting);
        let connected = connected.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        connected.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Returns whether all connections are in use.
    pub fn is_exhausted(&self) -> bool {
        self.0.permits.free() == 0
    }

    /// Closes all connections, each after its current statement.
    pub async fn close(&self) {
        // From here on, connections given back are dropped.
        let closed = self.0.opener.close();
        self.with_idle(Vec::clear);
        closed.await;
    }

    fn pop_idle(&self) -> Option<Idle<DB>> {
        self.with_idle(Vec::pop)
    }

    fn with_idle<T>(&self, with: impl FnOnce(&mut Vec<Idle<DB>>) -> T) -> T {
        with(&mut self.0.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes the idle connections: their database has fallen silent, or refuses its work.
    fn discard_idle(&self) {
        for mut idle in self.with_idle(std::mem::take) {
            idle.connection.close_on_drop();
        }
    }

    fn give_back(&self, connection: PoolConnection<DB>, opened: Instant) {
        self.with_idle(|idle| {
            if !self.0.opener.is_closed() {
                idle.push(Idle {
                    connection,
                    opened,
                    last_used: Instant::now(),
                });
            }
        });
    }
}

impl<DB: Database> Shared<DB> {
    fn state(&self) -> PoolState {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        PoolState {
            used: self.connections_max - self.permits.free(),
            idle: idle.len(),
        }
    }
}

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> PooledConnection<DB> {
    /// Time at which the connection was opened, or slightly later.
    pub const fn opened(&self) -> Instant {
        self.opened
    }

    /// Maximum wait for the answer to a statement.
    pub fn answer_timeout(&self) -> Duration {
        self.pool.0.answer_timeout
    }

    /// The metrics of statements on connections of this pool.
    pub fn statement_metrics(&self) -> &StatementMetrics {
        &self.pool.0.statement_metrics
    }

    /// Returns the connection, to run a statement. Until [`Self::mark_clean`] the answer to
    /// that statement may still be under way.
    ///
    /// # Errors
    /// `PoolClosed` after [`Self::discard`].
    pub fn begin_use(&mut self) -> sqlx::Result<&mut PoolConnection<DB>> {
        self.last_statement = LastStatement::Sent;
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Notes that every statement was answered without an error.
    pub const fn mark_clean(&mut self) {
        self.last_statement = LastStatement::Succeeded;
    }

    /// Notes that the last statement was answered with an error.
    pub const fn mark_failed(&mut self) {
        self.last_statement = LastStatement::Failed;
    }

    /// Closes the connection, and the idle ones of its pool.
    pub fn discard_with_idle(&mut self) {
        self.discard();
        self.pool.discard_idle();
    }

    /// Takes the connection with its place in the pool, to end what is left of its work. None if
    /// its last statement failed, or it is closed.
    pub fn take_abandoned(&mut self) -> Option<Self> {
        if self.last_statement == LastStatement::Failed {
            return None;
        }
        Some(Self {
            connection: Some(self.connection.take()?),
            opened: self.opened,
            last_statement: self.last_statement,
            pool: self.pool.clone(),
            permit: self.permit.take(),
        })
    }

    /// Closes the connection.
    pub fn discard(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
    }
}

impl<DB: Database> PooledConnection<DB> {
    /// Pings the connection; discards it if that fails.
    async fn is_alive(&mut self, within: Duration) -> sqlx::Result<bool> {
        let answer = timeout(within, self.begin_use()?.ping()).await;
        match answer {
            Ok(Ok(())) => {
                self.mark_clean();
                return Ok(true);
            }
            Ok(Err(_)) => self.discard(),
            Err(_) => {
                self.discard();
                self.pool.discard_idle();
                return Err(sqlx::Error::PoolTimedOut);
            }
        }
        Ok(false)
    }
}

impl<DB: Database> Drop for PooledConnection<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if self.opened.elapsed() >= AGE_MAX {
            connection.close_on_drop();
        } else if self.last_statement == LastStatement::Succeeded {
            self.pool.give_back(connection, self.opened);
        } else {
            let recovery = recover(connection, self.opened, self.pool.clone());
            let permit = self.permit.take();
            tokio::spawn(async move {
                recovery.await;
                drop(permit);
            });
        }
    }
}

/// Waits for the answer to an abandoned statement, then gives the connection back.
async fn recover<DB: Database>(
    mut connection: PoolConnection<DB>,
    opened: Instant,
    pool: Pool<DB>,
) {
    match timeout(RECOVERY_TIMEOUT, connection.ping()).await {
        Ok(Ok(())) => pool.give_back(connection, opened),
        Ok(Err(_)) | Err(_) => connection.close_on_drop(),
    }
}
