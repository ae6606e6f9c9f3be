//! Helpers of this crate's tests.

use std::sync::{Mutex, PoisonError};

use tracing::Subscriber;

/// Runs `work` under a subscriber, one at a time: interest in call sites is cached for the whole
/// process.
pub fn under<T>(subscriber: impl Subscriber + Send + Sync, work: impl FnOnce() -> T) -> T {
    static SERIAL: Mutex<()> = Mutex::new(());
    let _guard = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    tracing::subscriber::with_default(subscriber, work)
}
