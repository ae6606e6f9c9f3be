//! Clock of a store.

use opentelemetry::metrics::{Gauge, Meter};

/// The checks of a clock. Clones share the series.
#[derive(Debug, Clone)]
pub struct ClockMetrics {
    skew: Gauge<f64>,
    held: Gauge<f64>,
}

impl ClockMetrics {
    /// Creates the instruments.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        Self {
            skew: super::gauge(
                meter,
                "postroom.clock.skew",
                "s",
                "Time of this machine, less that of the database",
            ),
            held: super::gauge(
                meter,
                "postroom.clock.held",
                "s",
                "Time by which nothing falls due yet, because the clock has jumped ahead",
            ),
        }
    }

    /// Records a check, in milliseconds.
    pub fn observed(&self, skew_ms: i64, held_ms: i64) {
        self.skew.record(seconds(skew_ms), &[]);
        self.held.record(seconds(held_ms), &[]);
    }
}

impl Default for ClockMetrics {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a difference of this century is exact"
)]
const fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
