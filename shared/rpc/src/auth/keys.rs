//! An issuer's keys over time.

use std::sync::{Arc, RwLock, Weak};

use tokio::sync::Mutex;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::jwks::KeySet;
use super::source::{LoadError, Source};
use super::token::KeyId;
use crate::error::chain;
use crate::limits::{KEYS_REFRESH, KEYS_REFRESH_UNKNOWN, KEYS_STALE_MAX};

/// The keys that an issuer publishes, read again from time to time and when a token names
/// one that is not among them. Keys that cannot be read again are good for a day.
#[derive(Debug)]
pub(super) struct Keys {
    iss: String,
    source: Source,
    current: RwLock<Option<Loaded>>,
    /// When they were last read because of an unknown key. Held while keys are read, so
    /// that older ones never come after newer ones.
    asked: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone)]
struct Loaded {
    set: Arc<KeySet>,
    at: Instant,
}

impl Keys {
    /// Reads the keys for the first time, and from then on for as long as they are held.
    ///
    /// # Errors
    /// If they cannot be read; those at an address may come later.
    pub async fn start(iss: String, source: Source) -> Result<Arc<Self>, LoadError> {
        let keys = Arc::new(Self {
            iss,
            source,
            current: RwLock::default(),
            asked: Mutex::default(),
        });
        match keys.load().await {
            Err(error) if keys.source.may_be_away() => keys.warn(&error),
            loaded => loaded?,
        }
        let times = interval_at(Instant::now() + KEYS_REFRESH, KEYS_REFRESH);
        tokio::spawn(refresh(Arc::downgrade(&keys), times));
        Ok(keys)
    }

    /// The keys that are good now.
    pub fn current(&self) -> Option<Arc<KeySet>> {
        let current = self.current.read().ok()?;
        let loaded = current.as_ref()?;
        (loaded.at.elapsed() < KEYS_STALE_MAX).then(|| loaded.set.clone())
    }

    /// The keys, if this one is among them, if need be after reading them again.
    pub async fn with(self: &Arc<Self>, id: &KeyId) -> Option<Arc<KeySet>> {
        let has = |set: &Arc<KeySet>| set.get(id).is_some();
        if let Some(set) = self.current().filter(has) {
            return Some(set);
        }
        // A task of its own: a caller who does not wait must not end it for all others.
        let _ = tokio::spawn(self.clone().ask()).await;
        self.current().filter(has)
    }

    async fn ask(self: Arc<Self>) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < KEYS_REFRESH_UNKNOWN) {
            return;
        }
        *asked = Some(Instant::now());
        self.reload().await;
    }

    async fn reload(&self) {
        if let Err(error) = self.load().await {
            self.warn(&error);
        }
    }

    async fn load(&self) -> Result<(), LoadError> {
        let set = self.source.load().await?;
        tracing::debug!(
            issuer.iss = self.iss,
            issuer.keys = set.len(),
            "issuer.keys_read"
        );
        if let Ok(mut current) = self.current.write() {
            *current = Some(Loaded {
                set: Arc::new(set),
                at: Instant::now(),
            });
        }
        Ok(())
    }

    fn warn(&self, error: &LoadError) {
        tracing::warn!(
            issuer.iss = self.iss,
            error = chain(error),
            "issuer.keys_not_read"
        );
    }
}

async fn refresh(keys: Weak<Keys>, mut times: Interval) {
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        match keys.upgrade() {
            Some(keys) => {
                let _turn = keys.asked.lock().await;
                keys.reload().await;
            }
            None => return,
        }
    }
}
