//! Where a store takes time and ids from, so that tests can hand it others.

use domain::{MessageId, Millis};

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_ms(&self) -> Millis;
}

/// A source of message ids.
pub trait MessageIds: Send + Sync {
    /// A new id, a `UUIDv7` of that time or a later one: greater than all that this source
    /// has given before.
    fn next(&self, now_ms: Millis) -> MessageId;
}
