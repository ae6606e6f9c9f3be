//! Readiness of the replica, as `/readyz` reports it.

use std::sync::{Arc, OnceLock};

use auth::Authenticator;
use axum::http::StatusCode;
use storage::Store;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::drain::Drain;
use crate::limits::{READY_AGE_MAX, READY_TIMEOUT};

/// Status of a probe, with a line of text.
type ProbeAnswer = (StatusCode, &'static str);

/// Readiness of the replica. Clones share it.
#[derive(Clone)]
pub struct Readiness {
    store: Arc<OnceLock<Arc<dyn Store>>>,
    authenticator: Arc<Authenticator>,
    drain: Drain,
    /// Last answer about the store. Locked during a check, so that probes share it: the check
    /// writes, and probes are open to anybody.
    last: Arc<Mutex<Option<(Instant, ProbeAnswer)>>>,
}

impl Readiness {
    /// Readiness of a replica whose store is not open yet.
    pub fn starting(authenticator: Arc<Authenticator>, drain: Drain) -> Self {
        Self {
            store: Arc::default(),
            authenticator,
            drain,
            last: Arc::default(),
        }
    }

    /// Makes readiness that of the store.
    pub fn opened(&self, store: Arc<dyn Store>) {
        let _ = self.store.set(store);
    }

    /// Returns 200 while the store accepts writes, there are keys of an issuer and no drain is
    /// announced, otherwise 503. One issuer without keys does not take the replica from the others.
    /// The answer about the store is at most [`READY_AGE_MAX`] old.
    pub async fn answer(&self) -> ProbeAnswer {
        if self.drain.is_announced() {
            return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
        }
        let Some(store) = self.store.get() else {
            return (StatusCode::SERVICE_UNAVAILABLE, "starting\n");
        };
        if !self.authenticator.has_keys() {
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                "no issuer's keys are available\n",
            );
        }
        let mut last = self.last.lock().await;
        match *last {
            Some((checked, answer)) if checked.elapsed() < READY_AGE_MAX => answer,
            _ => {
                let answer = check(&**store).await;
                *last = Some((Instant::now(), answer));
                answer
            }
        }
    }
}

async fn check(store: &dyn Store) -> ProbeAnswer {
    match timeout(READY_TIMEOUT, store.ready()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(error.source = error.chain(), "readiness.store_failed");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store is not available\n",
            )
        }
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not respond\n",
        ),
    }
}
