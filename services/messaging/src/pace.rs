//! How long the things of a stream take.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// How long the things of a stream take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// After how much silence a stream says that it is alive.
    pub heartbeat: Duration,
    /// How long a stream lasts: some time between these.
    pub life: RangeInclusive<Duration>,
    /// How long a reader may take nothing while all that may wait for it does.
    pub patience: Duration,
    /// How long deliveries are gathered before they are noted.
    pub gather: Duration,
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
            gather: Duration::from_millis(250),
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

    /// How long to wait before asking again.
    pub(crate) fn retry_after(&self) -> Duration {
        self.retry.mul_f64(0.5 + rand::random::<f64>())
    }
}
