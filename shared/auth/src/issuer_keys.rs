//! Keys of an issuer, reloaded over time.

mod loader;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::jwks::KeySet;
use crate::jwks_source::{JwksError, JwksSource};
use crate::key_id::KeyId;
use crate::limits::{KEYS_REFRESH_UNKNOWN, KEYS_RETRY_MIN};
use crate::{Error, TokenError};
use loader::KeyLoader;

/// Published keys of an issuer. One task loads them: periodically, when a token names an unknown
/// key, and after a failure with exponential backoff. A set that was good stays valid for a time over
/// any answer without a usable key.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    state: watch::Receiver<KeysState>,
    /// Asks the loader for a load.
    wanted: Arc<Notify>,
    /// Last load that a token with an unknown key has asked for.
    asked: Mutex<Option<AskedLoad>>,
}

/// Result of the loads so far.
#[derive(Debug, Clone)]
struct KeysState {
    loaded: Option<LoadedKeys>,
    /// Number of loads that have ended.
    loads: u64,
    /// Time of the next load, if the last one failed.
    retry_at: Option<Instant>,
}

/// Load that was asked for.
#[derive(Debug)]
struct AskedLoad {
    at: Instant,
    /// Number of loads that had ended before.
    loads: u64,
}

#[derive(Debug, Clone)]
struct LoadedKeys {
    set: Arc<KeySet>,
    valid_until: Instant,
}

impl IssuerKeys {
    /// Loads the keys, and reloads them until dropped. A set older than `age_max` is not valid if reloads fail.
    ///
    /// # Errors
    /// If they cannot be read or none is usable. A URL that does not answer is no error: it may
    /// later.
    pub async fn start(
        iss: Arc<str>,
        source: JwksSource,
        age_max: Duration,
    ) -> Result<Arc<Self>, JwksError> {
        let wanted = Arc::new(Notify::new());
        let state = KeyLoader::start(iss, source, age_max, Arc::clone(&wanted)).await?;
        Ok(Arc::new(Self {
            state,
            wanted,
            asked: Mutex::default(),
        }))
    }

    /// Returns the keys that are valid now.
    pub fn current(&self) -> Option<Arc<KeySet>> {
        self.state.borrow().valid()
    }

    /// Returns the keys if they contain this one. An unknown key causes a load, at most every
    /// [`KEYS_REFRESH_UNKNOWN`]; other callers wait for that load, too.
    ///
    /// # Errors
    /// [`TokenError::Key`] if the issuer has no such key, [`Error::KeysUnavailable`] if that is not
    /// known because its keys cannot be loaded.
    pub async fn containing(&self, id: &KeyId) -> Result<Arc<KeySet>, Error> {
        let mut state = self.state.clone();
        let (found, loads) = {
            let state = state.borrow_and_update();
            (state.find(id), state.loads)
        };
        if !matches!(found, Err(Error::Invalid(_))) || !self.asks_after(loads) {
            return found;
        }
        let _ = state.changed().await;
        let state = state.borrow();
        state.find(id)
    }

    /// Loads the keys again now.
    pub fn reload(&self) {
        self.wanted.notify_one();
    }

    /// Returns the number of loads that have ended.
    #[cfg(test)]
    pub fn loads(&self) -> u64 {
        self.state.borrow().loads
    }

    /// Asks for a load after those that have ended, unless there was one recently. Returns true if
    /// a load is to come.
    fn asks_after(&self, loads: u64) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match &*asked {
            Some(last) if last.loads == loads => true,
            Some(last) if last.at.elapsed() < KEYS_REFRESH_UNKNOWN => false,
            _ => {
                let at = Instant::now();
                *asked = Some(AskedLoad { at, loads });
                self.wanted.notify_one();
                true
            }
        }
    }
}

impl KeysState {
    fn valid(&self) -> Option<Arc<KeySet>> {
        let loaded = self.loaded.as_ref()?;
        (Instant::now() < loaded.valid_until).then(|| loaded.set.clone())
    }

    fn find(&self, id: &KeyId) -> Result<Arc<KeySet>, Error> {
        let set = self.valid().filter(|set| set.find(id).is_some());
        match (set, self.retry_at) {
            (Some(set), _) => Ok(set),
            (None, Some(at)) => Err(Error::KeysUnavailable {
                retry_after: wait_until(at),
            }),
            (None, None) => Err(TokenError::Key.into()),
        }
    }
}

/// Returns the time until a load, and at least as long as one may take to be of use.
fn wait_until(at: Instant) -> Duration {
    at.saturating_duration_since(Instant::now())
        .max(KEYS_RETRY_MIN)
}
