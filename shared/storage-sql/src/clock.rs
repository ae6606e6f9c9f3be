//! The clock of a store, checked against that of its database and against the time that passed.
//!
//! On a database with a clock, that clock counts, so that all replicas have the same time. It is
//! read every two seconds, and goes on meanwhile by the time since the machine booted, which
//! nobody sets. While it differs from the machine's clock, either may be wrong, and there is no
//! time: calls are refused, and nothing is deleted.
//!
//! A jump ahead is a time to write by, but not one to delete by: what is due is held back as if
//! there had been none, until the time is accepted. See [`Timeline`].

mod check;
mod timeline;

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::number::saturating;
use domain::{Millis, Now};
use rustix::time::{ClockId, clock_gettime};
use storage::{Clock, Error};
use telemetry::ClockMetrics;

pub use check::{ClockCheck, store};
#[cfg(test)]
pub use check::{READ, STORE};
use timeline::{ClockReading, Timeline};

/// Default of the greatest difference between the clocks of machine and database.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// The clock of the machine, as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<Now, Error> {
        Ok(Now::at(machine_time()))
    }
}

/// A clock that is checked by the store that was opened with it. Before that, it has no time.
#[derive(Debug)]
pub struct CheckedClock {
    timeline: RwLock<Timeline>,
    metrics: ClockMetrics,
}

impl CheckedClock {
    /// Creates a clock that differs from the machine's by `skew_max` at the most.
    #[must_use]
    pub fn new(skew_max: Duration) -> Self {
        Self {
            timeline: RwLock::new(Timeline::new(saturating(skew_max.as_millis()))),
            metrics: ClockMetrics::new(),
        }
    }

    /// Updates the timeline by a reading, and logs the events.
    fn observe(&self, reading: &ClockReading) {
        let mut timeline = self
            .timeline
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = timeline.clone();
        timeline.observe(reading);
        let (skew_ms, held_ms) = (timeline.skew_ms(), timeline.held_ms());
        self.metrics.observed(skew_ms, held_ms);
        match (before.is_skewed(), timeline.is_skewed()) {
            (false, true) => tracing::error!(
                clock.skew_ms = skew_ms,
                "clock.skewed: the clocks of this machine and of the database differ; \
                 no calls are taken until they agree"
            ),
            (true, false) => tracing::info!(clock.skew_ms = skew_ms, "clock.agrees"),
            _ => {}
        }
        match (before.is_holding(), timeline.is_holding()) {
            (false, true) => tracing::error!(
                clock.held_ms = held_ms,
                "clock.jumped: the time has jumped ahead, and nothing falls due by the new time; \
                 if it is right, accept it with `postroom accept-clock`"
            ),
            (true, false) if timeline.has_accepted_since(&before) => {
                tracing::info!("clock.accepted");
            }
            (true, false) => tracing::info!("clock.jumped_back"),
            _ => {}
        }
    }
}

impl Clock for CheckedClock {
    fn now(&self) -> Result<Now, Error> {
        let timeline = self.timeline.read().unwrap_or_else(PoisonError::into_inner);
        let now = timeline.now(boot_time(), machine_time());
        now.map_err(|unknown| Error::Unavailable(unknown.into()))
    }
}

/// Time that the machine's clock shows.
fn machine_time() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(saturating(since.as_millis()))
}

/// Time since the machine booted, in milliseconds, including the time that it was suspended.
fn boot_time() -> i64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let time = clock_gettime(clock);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
