//! The generic cell rate algorithm (GCRA): a token bucket whose state is one time.

use std::time::Duration;

use domain::Rate;
use domain::number::saturating;
use telemetry::LimitedQuota;
use tokio::time::Instant;

use crate::limits::DEBT_MAX;

/// A token, in millitokens.
pub(super) const TOKEN: u64 = 1000;

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

    /// Takes millitokens that the bucket need not hold. It owes at most those of [`DEBT_MAX`].
    pub fn owe(&mut self, millitokens: u64) {
        let Some(interval) = self.interval() else {
            return;
        };
        let now = Instant::now();
        let cost = interval.as_nanos() * u128::from(millitokens) / u128::from(TOKEN);
        let cost = Duration::from_nanos(saturating(cost));
        let most = now + interval * self.rate.burst + DEBT_MAX;
        self.full_at = most.min(self.full_at.max(now) + cost);
    }

    fn take(&mut self, now: Instant) {
        if let Some(interval) = self.interval() {
            self.full_at = self.full_at.max(now) + interval;
        }
    }
}

/// Refusal by a quota.
pub(super) struct Exhausted {
    /// Quota whose bucket is the last to hold a token again.
    pub quota: LimitedQuota,
    /// Time until every bucket holds a token, in whole milliseconds, rounded up.
    pub wait: Duration,
}

/// Takes a token from the bucket of each quota, or none from any.
///
/// # Errors
/// [`Exhausted`] if a bucket is empty.
pub(super) fn take_each<const N: usize>(
    buckets: [(LimitedQuota, Option<&mut Bucket>); N],
) -> Result<(), Exhausted> {
    let now = Instant::now();
    let waits = buckets.iter().filter_map(|(quota, bucket)| {
        let wait = bucket.as_ref()?.wait(now);
        (!wait.is_zero()).then_some((*quota, wait))
    });
    if let Some((quota, wait)) = waits.max_by_key(|(_, wait)| *wait) {
        let wait = round_up(wait);
        return Err(Exhausted { quota, wait });
    }
    for bucket in buckets.into_iter().filter_map(|(_, bucket)| bucket) {
        bucket.take(now);
    }
    Ok(())
}

fn round_up(wait: Duration) -> Duration {
    let ms = wait.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(saturating(ms))
}
