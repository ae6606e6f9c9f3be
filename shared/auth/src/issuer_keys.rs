//! Keys of an issuer, reloaded over time.

use std::sync::{Arc, RwLock, Weak};

use tokio::sync::Mutex;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::jwks::KeySet;
use crate::jwks_source::{JwksError, JwksSource};
use crate::key_id::KeyId;
use crate::limits::{KEYS_REFRESH, KEYS_REFRESH_UNKNOWN, KEYS_STALE_MAX};

/// Published keys of an issuer. They are reloaded periodically, and when a token names an
/// unknown key; after failed reloads they stay valid for [`KEYS_STALE_MAX`].
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    iss: String,
    source: JwksSource,
    current: RwLock<Option<LoadedKeys>>,
    /// Time of the last reload because of an unknown key. The lock is held during every load, so
    /// that an older key set never replaces a newer one.
    reloaded_at: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone)]
struct LoadedKeys {
    set: Arc<KeySet>,
    at: Instant,
}

impl IssuerKeys {
    /// Loads the keys, and reloads them periodically until dropped.
    ///
    /// # Errors
    /// If they cannot be read or none is usable. A URL that does not answer is no error: it may
    /// later.
    pub async fn start(iss: String, source: JwksSource) -> Result<Arc<Self>, JwksError> {
        let keys = Arc::new(Self {
            iss,
            source,
            current: RwLock::default(),
            reloaded_at: Mutex::default(),
        });
        match keys.load().await {
            Err(error) if keys.source.may_recover(&error) => keys.warn(&error),
            loaded => loaded?,
        }
        let times = interval_at(Instant::now() + KEYS_REFRESH, KEYS_REFRESH);
        tokio::spawn(refresh(Arc::downgrade(&keys), times));
        Ok(keys)
    }

    /// Returns the keys that are valid now.
    pub fn current(&self) -> Option<Arc<KeySet>> {
        let current = self.current.read().ok()?;
        let loaded = current.as_ref()?;
        (loaded.at.elapsed() < KEYS_STALE_MAX).then(|| loaded.set.clone())
    }

    /// Returns the keys if they contain this one. An unknown key causes a reload, at most every
    /// [`KEYS_REFRESH_UNKNOWN`].
    pub async fn containing(self: &Arc<Self>, id: &KeyId) -> Option<Arc<KeySet>> {
        let has_key = |set: &Arc<KeySet>| set.find(id).is_some();
        if let Some(set) = self.current().filter(has_key) {
            return Some(set);
        }
        // A separate task: a cancelled call must not cancel the reload for all others.
        let _ = tokio::spawn(self.clone().reload_unknown()).await;
        self.current().filter(has_key)
    }

    async fn reload_unknown(self: Arc<Self>) {
        let mut reloaded_at = self.reloaded_at.lock().await;
        if reloaded_at.is_some_and(|at| at.elapsed() < KEYS_REFRESH_UNKNOWN) {
            return;
        }
        *reloaded_at = Some(Instant::now());
        self.reload().await;
    }

    async fn reload(&self) {
        if let Err(error) = self.load().await {
            self.warn(&error);
        }
    }

    async fn load(&self) -> Result<(), JwksError> {
        let set = self.source.load().await?;
        self.log(&set);
        if let Ok(mut current) = self.current.write() {
            *current = Some(LoadedKeys {
                set: Arc::new(set),
                at: Instant::now(),
            });
        }
        Ok(())
    }

    /// Logs a set that differs from the last one: a warning if it has keys that are passed over.
    fn log(&self, set: &KeySet) {
        let last = self.current().map(|last| last.version());
        if last == Some(set.version()) {
            return;
        }
        let (iss, keys) = (&self.iss, set.len());
        if set.passed_over().is_empty() {
            tracing::info!(issuer.iss = iss, issuer.keys = keys, "issuer.keys_loaded");
        } else {
            tracing::warn!(
                issuer.iss = iss,
                issuer.keys = keys,
                issuer.keys_passed_over = %set.passed_over(),
                "issuer.keys_loaded"
            );
        }
    }

    fn warn(&self, error: &JwksError) {
        tracing::warn!(
            issuer.iss = self.iss,
            error = telemetry::error_chain(error),
            "issuer.keys_load_failed"
        );
    }
}

async fn refresh(keys: Weak<IssuerKeys>, mut times: Interval) {
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        match keys.upgrade() {
            Some(keys) => {
                let _guard = keys.reloaded_at.lock().await;
                keys.reload().await;
            }
            None => return,
        }
    }
}
