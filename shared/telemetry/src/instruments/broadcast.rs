//! Broadcast of changes between replicas, by LISTEN and NOTIFY.

use opentelemetry::metrics::{Counter, Gauge, Meter};

/// Notifications between replicas. Clones share the series.
#[derive(Debug, Clone)]
pub struct BroadcastMetrics {
    published: Counter<u64>,
    received: Counter<u64>,
    failures: Counter<u64>,
    connected: Gauge<f64>,
}

impl BroadcastMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        let notifications =
            |name, description| super::counter(meter, name, "{notification}", description);
        Self {
            published: notifications(
                "postroom.broadcast.published",
                "Notifications sent to other replicas",
            ),
            received: notifications(
                "postroom.broadcast.received",
                "Notifications received from other replicas",
            ),
            failures: notifications(
                "postroom.broadcast.failures",
                "Notifications that were not sent, and losses of the listening connection",
            ),
            connected: super::gauge(
                meter,
                "postroom.broadcast.connected",
                "1",
                "1 while the listening connection is up, 0 while it is down",
            ),
        }
    }

    /// Counts a notification that was sent.
    pub fn published(&self) {
        self.published.add(1, &[]);
    }

    /// Counts a notification that was received.
    pub fn received(&self) {
        self.received.add(1, &[]);
    }

    /// Counts a notification that was not sent.
    pub fn failed(&self) {
        self.failures.add(1, &[]);
    }

    /// Records that the listening connection is up.
    pub fn connected(&self) {
        self.connected.record(1.0, &[]);
    }

    /// Records that the listening connection was lost.
    pub fn disconnected(&self) {
        self.connected.record(0.0, &[]);
        self.failures.add(1, &[]);
    }
}

impl Default for BroadcastMetrics {
    fn default() -> Self {
        Self::new()
    }
}
