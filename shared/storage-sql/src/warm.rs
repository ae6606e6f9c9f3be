//! Connections that are taken as they are.
//!
//! A pool pings a connection when it is given back and again when it is taken: two round
//! trips for a read that needs one. Here, what was well a moment ago stays outside of its
//! pool, and whoever comes next takes it without asking. The pool only opens connections:
//! none is given back to it, because it would wait for ever for one whose database fell
//! silent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Database, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long after its last use a connection is taken for well.
const TRUSTED_FOR: Duration = Duration::from_millis(100);
/// How old a connection becomes.
const LIVES_FOR: Duration = Duration::from_mins(30);
/// How long a connection has to answer all that nobody waits for any more.
const RECOVERS_WITHIN: Duration = Duration::from_secs(6);

/// A pool, and those of its connections that are well. Clones are the same.
pub struct Warm<DB: Database>(Arc<Shared<DB>>);

struct Shared<DB: Database> {
    pool: Pool<DB>,
    /// Connections that nobody uses, the last used at the end.
    kept: Mutex<Vec<Kept<DB>>>,
    /// As many as the pool may have.
    places: Arc<Semaphore>,
    wait_max: Duration,
}

struct Kept<DB: Database> {
    connection: PoolConnection<DB>,
    opened: Instant,
    used: Instant,
}

/// A connection that somebody uses.
pub struct Lease<DB: Database> {
    /// Until it is given back.
    connection: Option<PoolConnection<DB>>,
    opened: Instant,
    /// Whether all that it was asked for was answered, and well.
    rests: bool,
    home: Warm<DB>,
    /// Until it is given back, or has recovered.
    place: Option<OwnedSemaphorePermit>,
}

impl<DB: Database> Warm<DB> {
    /// All connections of a pool that has no other users.
    pub fn new(pool: Pool<DB>) -> Self {
        let options = pool.options();
        let places = usize::try_from(options.get_max_connections()).unwrap_or(usize::MAX);
        Self(Arc::new(Shared {
            kept: Mutex::new(Vec::new()),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            wait_max: options.get_acquire_timeout(),
            pool,
        }))
    }

    /// Takes a connection.
    pub async fn take(&self) -> sqlx::Result<Lease<DB>> {
        let place = Arc::clone(&self.0.places).acquire_owned();
        let place = timeout(self.0.wait_max, place)
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
            .map_err(|_| sqlx::Error::PoolClosed)?;
        let mut lease = Lease {
            connection: None,
            opened: Instant::now(),
            rests: true,
            home: self.clone(),
            place: Some(place),
        };
        while let Some(kept) = self.last_kept() {
            let is_trusted = kept.used.elapsed() <= TRUSTED_FOR;
            lease.opened = kept.opened;
            lease.connection = Some(kept.connection);
            if is_trusted || Box::pin(lease.answers(self.0.wait_max)).await? {
                return Ok(lease);
            }
        }
        // In a box: to connect takes as much memory as all else that a call needs.
        lease.connection = Some(Box::pin(self.0.pool.acquire()).await?);
        lease.opened = Instant::now();
        lease.rest();
        Ok(lease)
    }

    /// Whether all connections are in use.
    pub fn is_busy(&self) -> bool {
        self.0.places.available_permits() == 0
    }

    /// Ends all connections, after what they are doing.
    pub async fn close(&self) {
        // From here on nothing is kept.
        let closed = self.0.pool.close();
        self.kept(Vec::clear);
        closed.await;
    }

    fn last_kept(&self) -> Option<Kept<DB>> {
        self.kept(Vec::pop)
    }

    fn kept<T>(&self, with: impl FnOnce(&mut Vec<Kept<DB>>) -> T) -> T {
        with(&mut self.0.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the connections that nobody uses: their database has fallen silent.
    fn end_kept(&self) {
        for mut kept in self.kept(std::mem::take) {
            kept.connection.close_on_drop();
        }
    }

    fn keep(&self, connection: PoolConnection<DB>, opened: Instant) {
        self.kept(|kept| {
            if !self.0.pool.is_closed() {
                kept.push(Kept {
                    connection,
                    opened,
                    used: Instant::now(),
                });
            }
        });
    }
}

impl<DB: Database> Clone for Warm<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> Lease<DB> {
    /// When the connection was opened, or after that.
    pub const fn opened(&self) -> Instant {
        self.opened
    }

    /// The connection, to ask something. Until [`Self::rest`] it is not to be trusted: an
    /// answer may be under way that nobody waits for any more.
    pub fn work(&mut self) -> sqlx::Result<&mut PoolConnection<DB>> {
        self.rests = false;
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// All that was asked was answered, and well.
    pub const fn rest(&mut self) {
        self.rests = true;
    }

    /// Ends the connection.
    pub fn end(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
    }
}

impl<DB: Database> Lease<DB> {
    /// Whether the connection is well.
    async fn answers(&mut self, within: Duration) -> sqlx::Result<bool> {
        let answer = timeout(within, self.work()?.ping()).await;
        match answer {
            Ok(Ok(())) => {
                self.rest();
                return Ok(true);
            }
            Ok(Err(_)) => self.end(),
            Err(_) => {
                self.end();
                self.home.end_kept();
                return Err(sqlx::Error::PoolTimedOut);
            }
        }
        Ok(false)
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if self.opened.elapsed() >= LIVES_FOR {
            connection.close_on_drop();
        } else if self.rests {
            self.home.keep(connection, self.opened);
        } else {
            let recovery = recover(connection, self.opened, self.home.clone());
            let place = self.place.take();
            tokio::spawn(async move {
                recovery.await;
                drop(place);
            });
        }
    }
}

/// Waits for the answers that nobody waits for any more.
async fn recover<DB: Database>(
    mut connection: PoolConnection<DB>,
    opened: Instant,
    home: Warm<DB>,
) {
    match timeout(RECOVERS_WITHIN, connection.ping()).await {
        Ok(Ok(())) => home.keep(connection, opened),
        Ok(Err(_)) | Err(_) => connection.close_on_drop(),
    }
}
