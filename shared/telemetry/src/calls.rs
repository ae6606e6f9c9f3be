//! The measures of calls.

use std::time::Duration;

use opentelemetry::metrics::{Histogram, Meter, UpDownCounter};
use opentelemetry::{KeyValue, global};

use crate::SERVICE_NAME;

/// Seconds; from a read in memory to the longest deadline.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// Counts calls and measures how long they take, by method and status code. Clones count
/// together.
#[derive(Debug, Clone)]
pub struct Calls {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
}

impl Calls {
    /// Measures into the process' metrics: for use after [`start`](crate::start), before it
    /// nothing is measured.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&global::meter(SERVICE_NAME))
    }

    fn of(meter: &Meter) -> Self {
        Self {
            duration: meter
                .f64_histogram("rpc.server.call.duration")
                .with_unit("s")
                .with_description("How long calls took, from their headers to their last byte")
                .with_boundaries(BUCKETS.to_vec())
                .build(),
            active: meter
                .i64_up_down_counter("rpc.server.active_calls")
                .with_description("Calls that are under way")
                .build(),
        }
    }

    /// A call has begun.
    pub fn begun(&self) {
        self.active.add(1, &[]);
    }

    /// A call has ended. Only names from a fixed list may be given: each makes a series.
    pub fn ended(&self, method: &'static str, code: &'static str, elapsed: Duration) {
        self.active.add(-1, &[]);
        self.duration.record(
            elapsed.as_secs_f64(),
            &[
                KeyValue::new("rpc.method", method),
                KeyValue::new("rpc.grpc.status_code", code),
            ],
        );
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_sdk::Resource;

    use super::*;
    use crate::Metrics;

    #[test]
    fn calls_are_shown_by_method_and_code() {
        let metrics = Metrics::new(Resource::builder().build()).expect("metrics");
        let calls = Calls::of(&metrics.provider().meter("test"));

        calls.begun();
        calls.ended(
            "postroom.v1.Messaging/SendMessage",
            "OK",
            Duration::from_millis(3),
        );

        let text = metrics.render().expect("text");
        let count = text
            .lines()
            .find(|line| line.starts_with("rpc_server_call_duration_seconds_count"))
            .expect("a count");
        assert!(
            count.contains(r#"rpc_method="postroom.v1.Messaging/SendMessage""#),
            "{count}"
        );
        assert!(count.contains(r#"rpc_grpc_status_code="OK""#), "{count}");
        assert!(count.ends_with(" 1"), "{count}");
    }
}
