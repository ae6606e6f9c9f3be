//! Connections of the gRPC listeners.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};

/// Connections that were ended for the conduct of their peers. Clones share the series.
#[derive(Debug, Clone)]
pub struct ConnectionMetrics {
    ended: Counter<u64>,
}

/// Reason for the end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionEnd {
    /// The address had as many connections as it may; closed at once.
    AddressLimit,
    /// Too many calls in a row were refused by the caller's fault; told to leave.
    Refusals,
    /// Too many calls were reset; told to leave.
    Resets,
    /// Too many control frames, or calls that were reset after a notice; closed.
    Flood,
}

impl ConnectionEnd {
    /// All reasons.
    pub const ALL: [Self; 4] = [
        Self::AddressLimit,
        Self::Refusals,
        Self::Resets,
        Self::Flood,
    ];

    /// Value of the attribute `postroom.connection.end.reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressLimit => "address_limit",
            Self::Refusals => "refusals",
            Self::Resets => "resets",
            Self::Flood => "flood",
        }
    }
}

impl ConnectionMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        let metrics = Self {
            ended: super::counter(
                meter,
                "postroom.connection.ended",
                "{connection}",
                "Connections ended for the conduct of their peers, by reason",
            ),
        };
        for reason in ConnectionEnd::ALL {
            metrics.count(reason, 0);
        }
        metrics
    }

    /// Counts the end of a connection.
    pub fn ended(&self, reason: ConnectionEnd) {
        self.count(reason, 1);
    }

    fn count(&self, reason: ConnectionEnd, connections: u64) {
        let reason = KeyValue::new("postroom.connection.end.reason", reason.as_str());
        self.ended.add(connections, &[reason]);
    }
}

impl Default for ConnectionMetrics {
    fn default() -> Self {
        Self::new()
    }
}
