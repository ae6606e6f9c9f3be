//! How long the things of a stream take.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the things of a stream take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// After how much silence a stream says that it is alive.
    pub heartbeat: Duration,
    /// How long a stream lasts: some time between these.
    pub life: RangeInclusive<Duration>,
    /// How long a reader may take nothing while all that may wait for it does.
    pub patience: Duration,
    /// How far apart the rounds are in which deliveries are noted, those of all streams
    /// together: so most batches have none to carry.
    pub round: Duration,
    /// How long the clients that are sent elsewhere spread themselves.
    pub spread: Duration,
    /// How long a stream waits, on average, before it asks a store again that was away.
    pub retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            life: Duration::from_mins(30)..=Duration::from_hours(1),
            patience: Duration::from_secs(10),
            round: Duration::from_secs(1),
            spread: Duration::from_secs(3),
            retry: Duration::from_secs(1),
        }
    }
}

impl Pace {
    /// When a stream ends that begins now.
    pub(crate) fn end_of_life(&self) -> Instant {
        let (shortest, longest) = (*self.life.start(), *self.life.end());
        let more = longest.saturating_sub(shortest).mul_f64(rand::random());
        Instant::now() + shortest + more
    }

    /// How long a client that is sent elsewhere waits, in milliseconds.
    pub(crate) fn spread_ms(&self) -> u32 {
        let wait = self.spread.mul_f64(rand::random());
        u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)
    }

    /// When deliveries are noted that are made now.
    pub(crate) fn next_round(&self) -> Instant {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Instant::now() + self.until_round(now.unwrap_or_default())
    }

    /// Time from a point since the Unix epoch to the next round.
    fn until_round(&self, since_epoch: Duration) -> Duration {
        let passed = since_epoch.as_nanos() % self.round.as_nanos().max(1);
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.round.saturating_sub(Duration::from_nanos(passed))
    }

    /// How long to wait before asking again.
    pub(crate) fn retry_after(&self) -> Duration {
        self.retry.mul_f64(0.5 + rand::random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_at_full_seconds_for_all_streams() {
        let pace = Pace::default();
        for (since_epoch_ms, until_ms) in [(5_000, 1_000), (5_250, 750), (5_999, 1)] {
            let until = pace.until_round(Duration::from_millis(since_epoch_ms));
            assert_eq!(until, Duration::from_millis(until_ms));
        }
        let at_once = Pace {
            round: Duration::ZERO,
            ..pace
        };
        assert_eq!(at_once.until_round(Duration::from_secs(5)), Duration::ZERO);
    }
}
