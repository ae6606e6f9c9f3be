//! Timings of streams.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::number::saturating;
use rpc::limits::REVOCATION_RECHECK;

/// Timings of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTiming {
    /// Interval between heartbeats of an idle stream.
    pub heartbeat: Duration,
    /// Range of the age at which a stream asks its client to reconnect.
    pub max_age: RangeInclusive<Duration>,
    /// Time after which a reader that takes nothing from a full send buffer is disconnected.
    pub slow_reader_timeout: Duration,
    /// Interval at which deliveries are marked. All streams use the same ticks of the clock, so
    /// that most batches contain no deliveries.
    pub delivery_interval: Duration,
    /// Period over which clients that are told to reconnect are spread.
    pub reconnect_spread: Duration,
    /// Average wait before a failed read of the feed is retried.
    pub retry_interval: Duration,
    /// Maximum time between two checks of the subscriber's token against revocations.
    pub token_check_interval: Duration,
}

impl Default for StreamTiming {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            max_age: Duration::from_mins(30)..=Duration::from_hours(1),
            slow_reader_timeout: Duration::from_secs(10),
            delivery_interval: Duration::from_secs(1),
            reconnect_spread: Duration::from_secs(3),
            retry_interval: Duration::from_secs(1),
            token_check_interval: REVOCATION_RECHECK,
        }
    }
}

impl StreamTiming {
    /// Returns a random time at which a stream that begins now reaches its maximum age.
    pub(crate) fn max_age_at(&self) -> Instant {
        let (shortest, longest) = (*self.max_age.start(), *self.max_age.end());
        let more = longest.saturating_sub(shortest).mul_f64(rand::random());
        Instant::now() + shortest + more
    }

    /// Returns a random wait before a reconnect, in milliseconds.
    pub(crate) fn reconnect_after_ms(&self) -> u32 {
        let wait = self.reconnect_spread.mul_f64(rand::random());
        saturating(wait.as_millis())
    }

    /// Returns the next time at which deliveries are marked.
    pub(crate) fn next_delivery_tick(&self) -> Instant {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Instant::now() + self.until_delivery_tick(now.unwrap_or_default())
    }

    /// Time from a point since the Unix epoch to the next marking of deliveries.
    fn until_delivery_tick(&self, since_epoch: Duration) -> Duration {
        let passed = since_epoch.as_nanos() % self.delivery_interval.as_nanos().max(1);
        let passed = Duration::from_nanos(saturating(passed));
        self.delivery_interval.saturating_sub(passed)
    }

    /// Returns a random time for the next check of the subscriber's token.
    pub(crate) fn next_token_check(&self) -> Instant {
        let share = 1.0 - rand::random::<f64>() / 2.0;
        Instant::now() + self.token_check_interval.mul_f64(share)
    }

    /// Returns a random wait before a retry.
    pub(crate) fn retry_after(&self) -> Duration {
        self.retry_interval.mul_f64(0.5 + rand::random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivery_ticks_are_at_full_seconds_for_all_streams() {
        let timing = StreamTiming::default();
        for (since_epoch_ms, until_ms) in [(5_000, 1_000), (5_250, 750), (5_999, 1)] {
            let until = timing.until_delivery_tick(Duration::from_millis(since_epoch_ms));
            assert_eq!(until, Duration::from_millis(until_ms));
        }
        let at_once = StreamTiming {
            delivery_interval: Duration::ZERO,
            ..timing
        };
        let until = at_once.until_delivery_tick(Duration::from_secs(5));
        assert_eq!(until, Duration::ZERO);
    }
}
