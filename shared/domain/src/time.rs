//! Time, as the store keeps it.

use serde::{Deserialize, Serialize};

use crate::limits::AHEAD_MAX_MS;

/// Milliseconds since the epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Millis(pub i64);

/// The current time: the one to write, and the one by which things are due.
///
/// Both are the same, unless the clock has jumped ahead and it is not known yet whether that is
/// right. Then what is due is held back, because a deletion cannot be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time of what happens now.
    pub ms: Millis,
    /// Time up to which things are due; never after `ms`.
    pub due_ms: Millis,
}

impl Now {
    /// A time that also decides what is due.
    #[must_use]
    pub const fn at(ms: Millis) -> Self {
        Self { ms, due_ms: ms }
    }
}

impl Millis {
    /// The time, or one that was used before and is later by [`AHEAD_MAX_MS`] at the most: times do
    /// not go back with a clock that is set back a little, and do not stay at a wrong one.
    #[must_use]
    pub fn not_before(self, used: Self) -> Self {
        if used > self.after(AHEAD_MAX_MS) {
            self
        } else {
            used.max(self)
        }
    }

    /// The time `duration_ms` later, at the end of time if it would be beyond it.
    #[must_use]
    pub const fn after(self, duration_ms: i64) -> Self {
        Self(self.0.saturating_add(duration_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_do_not_go_back_by_less_than_a_second() {
        let used = Millis(10_000);
        for (now, time) in [
            (9_999, 10_000),
            (9_000, 10_000),
            (8_999, 8_999),
            (10_001, 10_001),
        ] {
            assert_eq!(Millis(now).not_before(used), Millis(time));
        }
    }
}
