//! The quotas of the apps that were called lately, and the buckets of what they send.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{AppId, Quotas, Settings};
use quick_cache::sync::Cache;
use storage::MailStore;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::bucket::Slot;
use crate::limits::{LIMITED_APPS_MAX, QUOTA_READERS_MAX};

/// Only so many, however many apps are called. One that made room for others has full buckets
/// when it comes back.
pub(super) struct Apps {
    known: Cache<AppId, Arc<App>>,
    source: Source,
}

/// Where the quotas come from.
enum Source {
    Fixed(Quotas),
    Store(Arc<Reader>),
}

impl Apps {
    pub fn fixed(quotas: Quotas) -> Self {
        Self::with(Source::Fixed(quotas))
    }

    pub fn in_store(store: Arc<dyn MailStore>, reread_every: Duration) -> Self {
        Self::with(Source::Store(Arc::new(Reader {
            store,
            reread_every,
            turns: Arc::new(Semaphore::new(QUOTA_READERS_MAX)),
        })))
    }

    fn with(source: Source) -> Self {
        Self {
            known: Cache::new(LIMITED_APPS_MAX),
            source,
        }
    }

    /// An app, whose quotas are read again if they are old. Nobody waits for that: the old ones
    /// are in force until it is done, and for an app that is new here the service's defaults.
    pub fn get(&self, id: &AppId) -> Arc<App> {
        let app = self.entry(id);
        if let Source::Store(reader) = &self.source {
            reader.refresh(id, &app);
        }
        app
    }

    /// An app has changed its quotas here.
    pub fn change(&self, id: &AppId, version: i64, quotas: Quotas) {
        let app = self.entry(id);
        let mut known = app.known();
        // A retry is told what was changed the first time, which others may have changed since.
        if version >= known.version {
            known.version = version;
            known.quotas = quotas;
        }
        known.asked_at = None;
    }

    fn entry(&self, id: &AppId) -> Arc<App> {
        let app = self
            .known
            .get_or_insert_with(id, || Ok::<_, Infallible>(Arc::new(self.unknown())));
        app.unwrap_or_else(|never| match never {})
    }

    fn unknown(&self) -> App {
        App::new(match &self.source {
            Source::Fixed(quotas) => *quotas,
            Source::Store(reader) => reader.store.policy(&Settings::default()).quotas,
        })
    }
}

/// One app.
pub(super) struct App {
    known: Mutex<Known>,
    pub sends: Mutex<Slot>,
}

/// What is known of an app's quotas.
struct Known {
    quotas: Quotas,
    /// Of the settings that they are from; 0 before they were read.
    version: i64,
    /// When reading them was last begun; none: they are to be read.
    asked_at: Option<Instant>,
    reading: Option<JoinHandle<()>>,
}

impl App {
    fn new(quotas: Quotas) -> Self {
        Self {
            known: Mutex::new(Known {
                quotas,
                version: 0,
                asked_at: None,
                reading: None,
            }),
            sends: Mutex::default(),
        }
    }

    /// Those in force.
    pub fn quotas(&self) -> Quotas {
        self.known().quotas
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what was read, unless it is from before a change that was made here
    /// meanwhile. Should the database itself have gone back, the next read says so again.
    fn learn(&self, version: i64, quotas: Quotas) {
        let mut known = self.known();
        if version >= known.version {
            known.quotas = quotas;
        }
        known.version = version;
    }
}

impl Known {
    fn is_due(&self, reread_every: Duration) -> bool {
        let is_old = self
            .asked_at
            .is_none_or(|asked| asked.elapsed() >= reread_every);
        is_old && self.reading.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

/// Reads the quotas of apps, of a few at a time, so that calls find a connection.
struct Reader {
    store: Arc<dyn MailStore>,
    reread_every: Duration,
    turns: Arc<Semaphore>,
}

impl Reader {
    fn refresh(self: &Arc<Self>, id: &AppId, app: &Arc<App>) {
        let mut known = app.known();
        if !known.is_due(self.reread_every) {
            return;
        }
        // If others are read just now, it is for the next call to try again.
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            known.asked_at = Some(Instant::now());
            let read = Arc::clone(self).read(id.clone(), Arc::clone(app), turn);
            known.reading = Some(tokio::spawn(read));
        }
    }

    /// If the store is away, the old ones stay in force.
    async fn read(self: Arc<Self>, id: AppId, app: Arc<App>, _turn: OwnedSemaphorePermit) {
        match self.store.settings(&id).await {
            Ok(settings) => app.learn(settings.version, self.store.policy(&settings).quotas),
            Err(error) => tracing::debug!(error.source = %error, "quotas.read_failed"),
        }
    }
}
