//! Figures of one measurement.

use serde::Serialize;

use crate::load::closed_loop::{Done, TimedOperation};
use crate::measure::meter::Reading;

/// Percent of operations that may fail.
const ERRORS_PERCENT_MAX: u64 = 1;

/// The figures of one measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    pub operations: usize,
    /// Operations that were refused or did something else, warm-up included.
    pub errors: u64,
    pub first_error: Option<String>,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Time on a processor per operation, user and system.
    pub server_cpu_us: f64,
    pub database_cpu_us: Option<f64>,
    pub client_cpu_us: f64,
    /// Bytes in the database's log per operation.
    pub wal_bytes: Option<f64>,
    /// Bytes of WAL per operation for rows of `request`.
    pub request_wal_bytes: Option<f64>,
    /// Messages that came to subscribers, per operation.
    pub received: Option<f64>,
    /// Bytes of the server's memory that each stream took.
    pub memory_bytes: Option<f64>,
}

impl Sample {
    /// The operations that ended between two readings, and what they cost.
    pub fn between(before: &Reading, after: &Reading, done: Done) -> Self {
        let operations = done.operations;
        let within =
            |operation: &&TimedOperation| (before.at_us..after.at_us).contains(&operation.end_us);
        let within = operations.iter().filter(within);
        let mut latencies: Vec<u64> = within.map(|operation| operation.latency_us).collect();
        latencies.sort_unstable();
        let count = float(latencies.len() as u64).max(1.0);
        let per_operation = |before, after| (float(after) - float(before)) / count;
        Self {
            operations: latencies.len(),
            errors: done.errors,
            first_error: done.first_error,
            per_second: 1e6 * count / float(after.at_us - before.at_us).max(1.0),
            p50_ms: quantile(&latencies, 50),
            p99_ms: quantile(&latencies, 99),
            server_cpu_us: per_operation(before.server_us, after.server_us),
            database_cpu_us: before
                .database_us
                .zip(after.database_us)
                .map(|(before, after)| per_operation(before, after)),
            client_cpu_us: per_operation(before.client_us, after.client_us),
            wal_bytes: before
                .wal_bytes
                .zip(after.wal_bytes)
                .map(|(before, after)| float((after - before).unsigned_abs()) / count),
            request_wal_bytes: None,
            received: None,
            memory_bytes: None,
        }
    }

    /// True if few enough operations failed for the figures to be valid.
    pub const fn is_valid(&self) -> bool {
        let all = self.operations as u64 + self.errors;
        self.operations > 0 && self.errors * 100 <= all * ERRORS_PERCENT_MAX
    }

    /// Processor time of the service and its database per operation, in microseconds.
    pub fn service_cpu_us(&self) -> f64 {
        self.server_cpu_us + self.database_cpu_us.unwrap_or(0.0)
    }

    /// Processor time of a client without the service, and of the database, per operation, in
    /// microseconds.
    pub fn direct_cpu_us(&self) -> f64 {
        self.client_cpu_us + self.database_cpu_us.unwrap_or(0.0)
    }
}

/// Percentile, in milliseconds.
fn quantile(sorted_us: &[u64], percent: usize) -> f64 {
    let place = (sorted_us.len() * percent / 100).min(sorted_us.len().saturating_sub(1));
    sorted_us
        .get(place)
        .map_or(0.0, |latency| float(*latency) / 1e3)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counters of minutes, exact far beyond what is shown"
)]
pub const fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operations_that_end_between_the_readings_count() {
        let operation = |end_us, latency_us| TimedOperation { end_us, latency_us };
        let before = Reading {
            at_us: 1_000_000,
            wal_bytes: Some(100),
            ..Reading::default()
        };
        let after = Reading {
            at_us: 3_000_000,
            server_us: 400,
            wal_bytes: Some(900),
            ..Reading::default()
        };
        let operations = vec![
            operation(999_999, 9),
            operation(1_000_000, 1_000),
            operation(2_000_000, 3_000),
            operation(3_000_000, 9),
        ];

        let done = Done {
            operations,
            ..Done::default()
        };
        let sample = Sample::between(&before, &after, done);

        assert_eq!((sample.operations, sample.p99_ms), (2, 3.0));
        assert!((sample.per_second - 1.0).abs() < 1e-9);
        assert!((sample.server_cpu_us - 200.0).abs() < 1e-9);
        assert_eq!(sample.wal_bytes, Some(400.0));
    }
}
