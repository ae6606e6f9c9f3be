//! What the tests of this crate share.

use std::sync::{Mutex, PoisonError};

use tracing::Subscriber;

/// Does something under a subscriber, one at a time: who is interested in what is remembered
/// for the whole process.
pub fn under<T>(subscriber: impl Subscriber + Send + Sync, work: impl FnOnce() -> T) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    tracing::subscriber::with_default(subscriber, work)
}
