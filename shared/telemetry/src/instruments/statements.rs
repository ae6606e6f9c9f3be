//! Statements that the database runs.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};

/// Number, duration and errors of statements, by name. Clones share the series.
#[derive(Debug, Clone)]
pub struct StatementMetrics {
    duration: Histogram<f64>,
    system: KeyValue,
}

impl StatementMetrics {
    /// Instruments of a store. `system` is `sqlite` or `postgresql`, as in the semantic
    /// conventions.
    #[must_use]
    pub fn new(system: &'static str) -> Self {
        Self::of(&super::meter(), system)
    }

    pub(super) fn of(meter: &Meter, system: &'static str) -> Self {
        Self {
            duration: super::duration(
                meter,
                "db.client.operation.duration",
                "Duration of statements, from sending them to their last row",
            ),
            system: KeyValue::new("db.system.name", system),
        }
    }

    /// Records a statement that was run. `statement` is its static name, such as
    /// `mailbox.lock`.
    pub fn succeeded(&self, statement: &'static str, elapsed: Duration) {
        self.duration.record(
            elapsed.as_secs_f64(),
            &[
                KeyValue::new("db.query.summary", statement),
                self.system.clone(),
            ],
        );
    }

    /// Records a statement that failed. `error_type` is from a closed list, such as the store's
    /// classes of errors.
    pub fn failed(&self, statement: &'static str, error_type: &'static str, elapsed: Duration) {
        self.duration.record(
            elapsed.as_secs_f64(),
            &[
                KeyValue::new("db.query.summary", statement),
                self.system.clone(),
                KeyValue::new("error.type", error_type),
            ],
        );
    }
}
