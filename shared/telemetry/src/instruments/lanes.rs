//! Lanes: queues of operations, and the batches that are committed together.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, Meter};

/// Bucket boundaries of batch sizes, in operations.
const OPERATIONS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Queues and batches of a store's lanes. Clones share the series.
#[derive(Debug, Clone)]
pub struct LaneMetrics {
    meter: Meter,
    wait: Histogram<f64>,
    refused: Counter<u64>,
    batch_size: Histogram<u64>,
    batch_duration: Histogram<f64>,
}

/// State of all queues together at the time of a scrape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Operations that wait for a batch.
    pub operations: usize,
    /// Age of the operation that has waited longest.
    pub oldest_age: Option<Duration>,
}

impl LaneMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(super::meter())
    }

    pub(super) fn of(meter: Meter) -> Self {
        Self {
            wait: super::duration(
                &meter,
                "postroom.lane.queue.wait.duration",
                "Time that operations waited in a lane's queue for their batch",
            ),
            refused: super::counter(
                &meter,
                "postroom.lane.queue.refused",
                "{operation}",
                "Operations refused because a lane's queue was full",
            ),
            batch_size: meter
                .u64_histogram("postroom.lane.batch.size")
                .with_unit("{operation}")
                .with_description("Operations of a batch, which are committed together")
                .with_boundaries(OPERATIONS.to_vec())
                .build(),
            batch_duration: super::duration(
                &meter,
                "postroom.lane.batch.duration",
                "Duration of batches, from their first statement to the end of their commit",
            ),
            meter,
        }
    }

    /// Records an operation that left its queue for a batch after that wait.
    pub fn dequeued(&self, wait: Duration) {
        self.wait.record(wait.as_secs_f64(), &[]);
    }

    /// Counts an operation that was refused because the queue was full, or that made room for
    /// another app's.
    pub fn refused(&self) {
        self.refused.add(1, &[]);
    }

    /// Records a batch of that many operations, committed or not.
    pub fn batch_ended(&self, operations: usize, elapsed: Duration) {
        self.batch_size.record(operations as u64, &[]);
        self.batch_duration.record(elapsed.as_secs_f64(), &[]);
    }

    /// Registers the function that reads the queues at each scrape. It lives as long as the
    /// process and therefore must hold the queues weakly.
    pub fn observe_queues(&self, state: impl Fn() -> QueueState + Send + Sync + 'static) {
        let state = Arc::new(state);
        let read = Arc::clone(&state);
        #[expect(clippy::cast_precision_loss, reason = "queues are bounded")]
        super::observed_gauge(
            &self.meter,
            "postroom.lane.queue.depth",
            "{operation}",
            "Operations that wait in the lanes' queues",
            move || read().operations as f64,
        );
        super::observed_gauge(
            &self.meter,
            "postroom.lane.queue.oldest.age",
            "s",
            "Age of the operation that has waited longest in a lane's queue",
            move || super::age_s(state().oldest_age),
        );
    }
}

impl Default for LaneMetrics {
    fn default() -> Self {
        Self::new()
    }
}
