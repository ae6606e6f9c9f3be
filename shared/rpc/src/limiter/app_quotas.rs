//! State of apps that were called recently: their quotas and the buckets of their sends, and the
//! numbers of their last revocations.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{AppId, Quotas, Settings};
use quick_cache::sync::Cache;
use storage::{AppState, Error, MailStore};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::gcra::Bucket;
use crate::limits::{LIMITED_APPS_MAX, QUOTA_READERS_MAX};

/// Cache of [`LIMITED_APPS_MAX`] apps. An evicted app finds a full bucket when it is called
/// again.
pub(crate) struct AppQuotas {
    apps: Cache<AppId, Arc<LimitedApp>>,
    source: QuotaSource,
}

/// Source of the quotas.
enum QuotaSource {
    Fixed(Quotas),
    Store(Arc<QuotaReader>),
}

impl AppQuotas {
    pub fn fixed(quotas: Quotas) -> Self {
        Self::new(QuotaSource::Fixed(quotas))
    }

    pub fn in_store(store: Arc<dyn MailStore>, reread_every: Duration) -> Self {
        Self::new(QuotaSource::Store(Arc::new(QuotaReader {
            store,
            reread_every,
            permits: Arc::new(Semaphore::new(QUOTA_READERS_MAX)),
        })))
    }

    fn new(source: QuotaSource) -> Self {
        Self {
            apps: Cache::new(LIMITED_APPS_MAX),
            source,
        }
    }

    /// Returns an app, and refreshes its quotas in the background if they are old. Until then
    /// the old ones are in force, or the service's defaults for an app that was not cached.
    pub(super) fn get(&self, id: &AppId) -> Arc<LimitedApp> {
        let app = self.entry(id);
        if let QuotaSource::Store(reader) = &self.source {
            reader.refresh(id, &app);
        }
        app
    }

    /// Puts quotas in force that were changed on this replica.
    pub fn set(&self, id: &AppId, version: i64, quotas: Quotas) {
        let app = self.entry(id);
        let mut cached = app.cached();
        // A retry yields the version of its first try, which may have been changed since.
        if version >= cached.version {
            cached.version = version;
            cached.quotas = quotas;
        }
        cached.changed();
    }

    /// Returns the number of the last revocation of tokens of an app, which is reread as the quotas
    /// are. The first call of an app waits for it.
    ///
    /// # Errors
    /// Those of a read of the store.
    pub async fn last_revocation(&self, id: &AppId) -> Result<i64, Error> {
        let app = self.get(id);
        if let QuotaSource::Store(reader) = &self.source {
            let first = app.first_read.get_or_try_init(|| reader.read(id, &app));
            first.await?;
        }
        Ok(app.cached().last_revocation)
    }

    /// Returns whether an app is being erased, as far as it is known.
    pub fn is_erased(&self, id: &AppId) -> bool {
        self.get(id).cached().is_erased
    }

    /// Puts a revocation in force that was made on this replica.
    pub fn set_revocation(&self, id: &AppId, number: i64) {
        let app = self.entry(id);
        let mut cached = app.cached();
        cached.last_revocation = cached.last_revocation.max(number);
        cached.changed();
    }

    fn entry(&self, id: &AppId) -> Arc<LimitedApp> {
        let app = self
            .apps
            .get_or_insert_with(id, || Ok::<_, Infallible>(Arc::new(self.new_app())));
        app.unwrap_or_else(|never| match never {})
    }

    fn new_app(&self) -> LimitedApp {
        LimitedApp::new(match &self.source {
            QuotaSource::Fixed(quotas) => *quotas,
            QuotaSource::Store(reader) => reader.store.policy(&Settings::default()).quotas,
        })
    }
}

/// An app with its quotas.
pub(super) struct LimitedApp {
    cached: Mutex<CachedQuotas>,
    /// Set once the app has been read.
    first_read: OnceCell<()>,
    pub sends: Mutex<Bucket>,
    /// Calls of the app itself.
    pub calls: Mutex<Bucket>,
}

/// Cached quotas of an app.
struct CachedQuotas {
    quotas: Quotas,
    /// Version of the settings; 0 before the first read.
    version: i64,
    /// Number of the last revocation of tokens; 0 before the first read.
    last_revocation: i64,
    /// True if the app is being erased.
    is_erased: bool,
    /// Number of changes that were made on this replica.
    changes: u64,
    /// Start of the last read; none if a read is due.
    read_at: Option<Instant>,
    reading: Option<JoinHandle<()>>,
}

impl LimitedApp {
    fn new(quotas: Quotas) -> Self {
        Self {
            cached: Mutex::new(CachedQuotas {
                quotas,
                version: 0,
                last_revocation: 0,
                is_erased: false,
                changes: 0,
                read_at: None,
                reading: None,
            }),
            first_read: OnceCell::new(),
            sends: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// Quotas in force.
    pub fn quotas(&self) -> Quotas {
        self.cached().quotas
    }

    fn cached(&self) -> MutexGuard<'_, CachedQuotas> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a state that was read, unless something has changed on this replica since the number of
    /// changes before the read. Returns whether it was stored.
    fn store_read(&self, changes_before: u64, state: &AppState, quotas: Quotas) -> bool {
        let mut cached = self.cached();
        if cached.changes != changes_before {
            return false;
        }
        cached.quotas = quotas;
        cached.version = state.settings.version;
        cached.last_revocation = state.last_revocation;
        cached.is_erased = state.is_erased;
        true
    }
}

impl CachedQuotas {
    /// Notes a change on this replica: a read that began before it is out of date.
    const fn changed(&mut self) {
        self.changes += 1;
        self.read_at = None;
    }

    fn is_stale(&self, reread_every: Duration) -> bool {
        let is_old = self.read_at.is_none_or(|at| at.elapsed() >= reread_every);
        is_old && self.reading.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

/// Reader of quotas, for [`QUOTA_READERS_MAX`] apps at a time, so that calls find connections.
struct QuotaReader {
    store: Arc<dyn MailStore>,
    reread_every: Duration,
    permits: Arc<Semaphore>,
}

impl QuotaReader {
    fn refresh(self: &Arc<Self>, id: &AppId, app: &Arc<LimitedApp>) {
        let mut cached = app.cached();
        if !cached.is_stale(self.reread_every) {
            return;
        }
        // Without a permit, the next call tries again.
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            cached.read_at = Some(Instant::now());
            let read = Arc::clone(self).reread(id.clone(), Arc::clone(app), permit);
            cached.reading = Some(tokio::spawn(read));
        }
    }

    /// Rereads an app. On failure the old state stays in force.
    async fn reread(
        self: Arc<Self>,
        id: AppId,
        app: Arc<LimitedApp>,
        _permit: OwnedSemaphorePermit,
    ) {
        if let Err(error) = self.read(&id, &app).await {
            tracing::debug!(error.source = %error, "quotas.read_failed");
        }
    }

    async fn read(&self, id: &AppId, app: &LimitedApp) -> Result<(), Error> {
        loop {
            let changes_before = app.cached().changes;
            let state = self.store.app_state(id).await?;
            let quotas = self.store.policy(&state.settings).quotas;
            if app.store_read(changes_before, &state, quotas) {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_began_before_a_change_is_not_stored() {
        let apps = AppQuotas::fixed(Quotas::NO_LIMITS);
        let id = AppId::parse("chess").expect("an app id");
        let app = apps.entry(&id);
        let store_read = |changes_before| {
            let state = AppState {
                last_revocation: 6,
                ..AppState::default()
            };
            app.store_read(changes_before, &state, Quotas::NO_LIMITS)
        };
        let begun = app.cached().changes;
        apps.set_revocation(&id, 7);
        assert!(!store_read(begun));
        assert_eq!(app.cached().last_revocation, 7);
        // A restored database may have fewer.
        let begun = app.cached().changes;
        assert!(store_read(begun));
        assert_eq!(app.cached().last_revocation, 6);
    }
}
