//! Source of time of a store, a parameter so that tests can replace it.

use domain::Millis;

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_ms(&self) -> Millis;
}
