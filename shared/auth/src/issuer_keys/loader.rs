//! Loader of an issuer's keys, a task of its own.

use std::sync::Arc;
use std::time::Duration;

use telemetry::IssuerKeyMetrics;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::{KeysState, LoadedKeys};
use crate::jwks::KeySet;
use crate::jwks_source::{JwksError, JwksSource};
use crate::limits::{KEYS_REFRESH, KEYS_RETRY_MAX, KEYS_RETRY_MIN};

/// Loader of an issuer's keys.
pub(super) struct KeyLoader {
    iss: Arc<str>,
    source: JwksSource,
    /// Maximum age of keys whose reload fails.
    age_max: Duration,
    /// Number of loads that failed in a row.
    failures: u32,
    /// Time of the next load.
    next_at: Instant,
    metrics: IssuerKeyMetrics,
}

impl KeyLoader {
    /// Loads the keys, and reloads them in a task until the receiver is dropped.
    ///
    /// # Errors
    /// If the first load fails for good.
    pub async fn start(
        iss: Arc<str>,
        source: JwksSource,
        age_max: Duration,
        wanted: Arc<Notify>,
    ) -> Result<watch::Receiver<KeysState>, JwksError> {
        let mut loader = Self {
            metrics: IssuerKeyMetrics::of_issuer(&iss),
            iss,
            source,
            age_max,
            failures: 0,
            next_at: Instant::now(),
        };
        let first = match loader.source.load().await {
            Err(error) if !loader.source.may_recover(&error) => return Err(error),
            first => first,
        };
        let (state, receiver) = watch::channel(loader.after(0, None, first));
        tokio::spawn(loader.run(state, wanted));
        Ok(receiver)
    }

    async fn run(mut self, state: watch::Sender<KeysState>, wanted: Arc<Notify>) {
        loop {
            tokio::select! {
                () = sleep_until(self.next_at) => {}
                () = wanted.notified() => {}
                () = state.closed() => return,
            }
            let loaded = self.source.load().await;
            let KeysState {
                loads,
                loaded: kept,
                ..
            } = state.borrow().clone();
            state.send_replace(self.after(loads + 1, kept, loaded));
        }
    }

    /// Time until the next load: after a failure 1 s, then twice as long each time.
    fn interval(&self) -> Duration {
        match self.failures.checked_sub(1) {
            None => KEYS_REFRESH,
            Some(further) => {
                let factor = 2_u32.saturating_pow(further);
                KEYS_RETRY_MIN.saturating_mul(factor).min(KEYS_RETRY_MAX)
            }
        }
    }

    /// Returns the state after a load. The keys that are kept stay if it failed.
    fn after(
        &mut self,
        loads: u64,
        kept: Option<LoadedKeys>,
        loaded: Result<KeySet, JwksError>,
    ) -> KeysState {
        let now = Instant::now();
        let (loaded, has_failed) = match loaded {
            Ok(set) => {
                self.log(kept.as_ref(), &set);
                self.failures = 0;
                let set = Arc::new(set);
                let valid_until = now + self.age_max;
                (Some(LoadedKeys { set, valid_until }), false)
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.warn(&error);
                (kept, true)
            }
        };
        self.next_at = now + self.interval();
        let state = KeysState {
            loaded,
            loads,
            retry_at: has_failed.then_some(self.next_at),
        };
        let usable = state.valid().map_or(0, |set| set.len());
        self.metrics.loaded(usable, has_failed);
        state
    }

    /// Logs a set that differs from the last one: a warning if it has keys that are passed over.
    fn log(&self, last: Option<&LoadedKeys>, set: &KeySet) {
        if last.is_some_and(|last| last.set.version() == set.version()) {
            return;
        }
        let (iss, keys) = (&*self.iss, set.len());
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
            issuer.iss = &*self.iss,
            issuer.retry_seconds = self.interval().as_secs(),
            error = telemetry::error_chain(error),
            "issuer.keys_load_failed"
        );
    }
}
