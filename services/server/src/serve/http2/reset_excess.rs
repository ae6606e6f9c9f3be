//! Excess of the calls that a peer resets over those that it lets finish.

use tokio::time::Instant;

use crate::limits::RESETS_FORGOTTEN_PER_SECOND;

/// Calls that a peer has reset beyond those that were answered. It decreases with time.
#[derive(Debug)]
pub struct ResetExcess {
    calls: u32,
    counted_at: Instant,
}

impl ResetExcess {
    pub const fn new(now: Instant) -> Self {
        Self {
            calls: 0,
            counted_at: now,
        }
    }

    /// Counts an answered call.
    pub fn answered(&mut self) {
        self.calls = self.calls.saturating_sub(1);
    }

    /// Counts a reset call, and returns the excess.
    pub fn reset(&mut self, now: Instant) -> u32 {
        let seconds = now.duration_since(self.counted_at).as_secs();
        if seconds > 0 {
            let forgotten = seconds.saturating_mul(RESETS_FORGOTTEN_PER_SECOND);
            let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
            self.calls = self.calls.saturating_sub(forgotten);
            self.counted_at = now;
        }
        self.calls += 1;
        self.calls
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_excess_is_of_resets_beyond_answers_and_decreases() {
        let start = Instant::now();
        let mut excess = ResetExcess::new(start);
        excess.answered();
        assert_eq!([1, 2, 3].map(|_| excess.reset(start)), [1, 2, 3]);
        excess.answered();
        assert_eq!(excess.reset(start), 3);
        let later = start + Duration::from_secs(1);
        assert_eq!(excess.reset(later), 1);
    }
}
