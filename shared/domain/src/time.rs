//! Time, as the store keeps it.

use serde::{Deserialize, Serialize};

/// Milliseconds since the epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Millis(pub i64);

impl Millis {
    /// The time `duration_ms` later, at the end of time if it would be beyond it.
    #[must_use]
    pub const fn after(self, duration_ms: i64) -> Self {
        Self(self.0.saturating_add(duration_ms))
    }
}
