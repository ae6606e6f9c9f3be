//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::{Millis, Now};
use storage::{Clock, Error};

/// Start time of every test, in milliseconds since the epoch.
pub const START: Millis = Millis(1_800_000_000_000);

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(START.0))
    }
}

impl ManualClock {
    /// Lets time pass.
    pub fn advance(&self, duration_ms: i64) {
        self.0.fetch_add(duration_ms, Ordering::SeqCst);
    }

    /// Returns the time.
    pub fn now_ms(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    /// Sets the time, back as well.
    pub fn set(&self, now: Millis) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Result<Now, Error> {
        Ok(Now::at(self.now_ms()))
    }
}
