//! Calls of the gRPC listeners.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter, UpDownCounter};

/// Number and duration of calls, by method and status code. Clones share the series.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
}

impl CallMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        Self {
            duration: super::duration(
                meter,
                "rpc.server.call.duration",
                "Duration of calls, from their headers to the last byte of their response",
            ),
            active: super::up_down_counter(
                meter,
                "rpc.server.active_calls",
                "{call}",
                "Calls in progress",
            ),
        }
    }

    /// Counts a call as in progress.
    pub fn started(&self) {
        self.active.add(1, &[]);
    }

    /// Records the end of a call. `method` and `code` are from closed lists.
    pub fn ended(&self, method: &'static str, code: &'static str, elapsed: Duration) {
        self.active.add(-1, &[]);
        self.duration.record(
            elapsed.as_secs_f64(),
            &[
                KeyValue::new("rpc.method", method),
                KeyValue::new("rpc.response.status_code", code),
            ],
        );
    }
}

impl Default for CallMetrics {
    fn default() -> Self {
        Self::new()
    }
}
