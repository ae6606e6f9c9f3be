//! Connection pools of the database.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

/// Connections and waits of one pool. Clones share the series.
#[derive(Debug, Clone)]
pub struct PoolMetrics {
    meter: Meter,
    wait: Histogram<f64>,
    timeouts: Counter<u64>,
    pool: KeyValue,
}

/// Connections of a pool at the time of a scrape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections in use.
    pub used: usize,
    /// Open connections that nothing uses.
    pub idle: usize,
}

impl PoolMetrics {
    /// Instruments of a pool. `pool` is its static name: `write` or `read`.
    #[must_use]
    pub fn new(pool: &'static str) -> Self {
        Self::of(super::meter(), pool)
    }

    pub(super) fn of(meter: Meter, pool: &'static str) -> Self {
        Self {
            wait: super::duration(
                &meter,
                "db.client.connection.wait_time",
                "Time to obtain a connection from the pool",
            ),
            timeouts: super::counter(
                &meter,
                "db.client.connection.timeouts",
                "{timeout}",
                "Attempts to obtain a connection that timed out",
            ),
            pool: KeyValue::new("db.client.connection.pool.name", pool),
            meter,
        }
    }

    /// Records that a connection was obtained after that wait.
    pub fn obtained(&self, wait: Duration) {
        self.wait
            .record(wait.as_secs_f64(), std::slice::from_ref(&self.pool));
    }

    /// Counts an attempt that ended without a connection.
    pub fn timed_out(&self) {
        self.timeouts.add(1, std::slice::from_ref(&self.pool));
    }

    /// Registers the function that reads the pool at each scrape. It lives as long as the process
    /// and therefore must hold the pool weakly.
    pub fn observe_connections(&self, state: impl Fn() -> PoolState + Send + Sync + 'static) {
        let with_state = |state| {
            [
                self.pool.clone(),
                KeyValue::new("db.client.connection.state", state),
            ]
        };
        let (used, idle) = (with_state("used"), with_state("idle"));
        self.meter
            .u64_observable_gauge("db.client.connection.count")
            .with_unit("{connection}")
            .with_description("Open connections of the pool, by state")
            .with_callback(move |gauge| {
                let now = state();
                gauge.observe(now.used as u64, &used);
                gauge.observe(now.idle as u64, &idle);
            })
            .build();
    }
}
