//! A bucket of tokens. governor counts them.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use domain::Rate;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use super::ticks::Ticks;

/// Where there is a bucket, unless there is no limit.
#[derive(Default)]
pub(super) struct Slot(Option<Bucket>);

impl Slot {
    /// The bucket of that rate; none: there is no limit. One of another rate than before is
    /// another bucket, and full.
    pub fn at(&mut self, rate: Rate, ticks: &Ticks) -> Option<&Bucket> {
        if self.0.as_ref().is_none_or(|bucket| bucket.rate != rate) {
            self.0 = Bucket::new(rate, *ticks);
        }
        self.0.as_ref()
    }
}

/// A bucket that holds a burst of tokens and gets them back at its rate.
pub(super) struct Bucket {
    rate: Rate,
    ticks: Ticks,
    tokens: RateLimiter<Deed, Taken, Ticks, NoOpMiddleware<Nanos>>,
}

impl Bucket {
    fn new(rate: Rate, ticks: Ticks) -> Option<Self> {
        let per_second = NonZeroU32::new(rate.per_second)?;
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Some(Self {
            rate,
            ticks,
            tokens: RateLimiter::new(quota, Taken::default(), ticks),
        })
    }

    /// How long it is until there is a token; none: there is one.
    fn wait(&self) -> Option<Duration> {
        let until = self.tokens.check_key(&Deed::Look).err()?;
        Some(until.wait_time_from(self.ticks.now()))
    }

    fn take(&self) {
        // There is one: it was looked for, under the same lock.
        let _ = self.tokens.check_key(&Deed::Take);
    }
}

/// Takes a token out of each bucket, if each has one.
///
/// # Errors
/// How long it is until each has one, in whole milliseconds, rounded up.
pub(super) fn take_each(buckets: &[Option<&Bucket>]) -> Result<(), Duration> {
    let buckets = || buckets.iter().copied().flatten();
    if let Some(wait) = buckets().filter_map(Bucket::wait).max() {
        return Err(rounded_up(wait));
    }
    buckets().for_each(Bucket::take);
    Ok(())
}

fn rounded_up(wait: Duration) -> Duration {
    let ms = wait.as_nanos().div_ceil(1_000_000).max(1);
    Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX))
}

/// What is done with a bucket. governor has it for a key; each of ours has a store of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Deed {
    Look,
    Take,
}

/// When the last token that was taken will be back, as governor has it: none was taken yet,
/// if there is none. Whoever has the bucket has locked it.
#[derive(Default)]
struct Taken(Cell<Option<Nanos>>);

impl StateStore for Taken {
    type Key = Deed;

    fn measure_and_replace<T, F, E>(&self, deed: &Deed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (decision, taken) = decide(self.0.get())?;
        if *deed == Deed::Take {
            self.0.set(Some(taken));
        }
        Ok(decision)
    }
}
