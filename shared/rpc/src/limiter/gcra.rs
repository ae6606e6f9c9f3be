//! The generic cell rate algorithm (GCRA): a token bucket whose state is one time.

use std::time::Duration;

use domain::Rate;
use tokio::time::Instant;

/// Token bucket. It holds `burst` tokens and regains `per_second` of them; without a limit it
/// is always full.
pub(super) struct Bucket {
    rate: Rate,
    /// Time at which the bucket is full again, the algorithm's theoretical arrival time.
    full_at: Instant,
}

impl Default for Bucket {
    fn default() -> Self {
        Self::full(Rate::NO_LIMIT)
    }
}

impl Bucket {
    fn full(rate: Rate) -> Self {
        let full_at = Instant::now();
        Self { rate, full_at }
    }

    /// Sets the rate. A change of the rate refills the bucket.
    pub fn set_rate(&mut self, rate: Rate) {
        if self.rate != rate {
            *self = Self::full(rate);
        }
    }

    /// Time in which one token comes back; none without a limit.
    fn interval(&self) -> Option<Duration> {
        Duration::from_secs(1).checked_div(self.rate.per_second)
    }

    /// Time until the bucket holds a token.
    fn wait(&self, now: Instant) -> Duration {
        let Some(interval) = self.interval() else {
            return Duration::ZERO;
        };
        let tolerance = interval * self.rate.burst.saturating_sub(1);
        self.full_at.saturating_duration_since(now + tolerance)
    }

    fn take(&mut self, now: Instant) {
        if let Some(interval) = self.interval() {
            self.full_at = self.full_at.max(now) + interval;
        }
    }
}

/// Takes a token from each bucket, or none from any.
///
/// # Errors
/// The time until every bucket holds a token, in whole milliseconds, rounded up.
pub(super) fn take_each<const N: usize>(buckets: [Option<&mut Bucket>; N]) -> Result<(), Duration> {
    let now = Instant::now();
    let waits = buckets.iter().flatten().map(|bucket| bucket.wait(now));
    let wait = waits.max().unwrap_or_default();
    if !wait.is_zero() {
        return Err(round_up(wait));
    }
    for bucket in buckets.into_iter().flatten() {
        bucket.take(now);
    }
    Ok(())
}

fn round_up(wait: Duration) -> Duration {
    let ms = wait.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX))
}
