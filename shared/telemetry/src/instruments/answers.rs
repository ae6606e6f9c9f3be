//! Answers on their way to their callers.

use opentelemetry::metrics::{Meter, UpDownCounter};

/// Bytes of answers that are kept until their callers have taken them. Clones share the series.
#[derive(Debug, Clone)]
pub struct AnswerMetrics {
    bytes: UpDownCounter<i64>,
}

impl AnswerMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        let metrics = Self {
            bytes: super::up_down_counter(
                meter,
                "postroom.answer.in_flight.size",
                "By",
                "Bytes of answers that their callers have not taken yet",
            ),
        };
        metrics.bytes.add(0, &[]);
        metrics
    }

    /// Adds the bytes of an answer.
    pub fn begun(&self, bytes: usize) {
        self.add(bytes, 1);
    }

    /// Subtracts the bytes of an answer that was taken or dropped.
    pub fn ended(&self, bytes: usize) {
        self.add(bytes, -1);
    }

    fn add(&self, bytes: usize, sign: i64) {
        if bytes > 0 {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            self.bytes.add(sign * bytes, &[]);
        }
    }
}

impl Default for AnswerMetrics {
    fn default() -> Self {
        Self::new()
    }
}
