//! Source of time of a store, a parameter so that tests can replace it.

use domain::Millis;

/// The clock of a store.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now_ms(&self) -> Millis;
}
