//! Conduct of the peer of a connection: what it sends beyond bounds, and what follows from it.

use std::net::IpAddr;

use rpc::RefusalStreak;
use telemetry::{ConnectionEnd, ConnectionMetrics};
use tonic::transport::server::TcpConnectInfo;

use super::retirement::RetirementStep;
use super::tap::SharedTracker;

/// Conduct of the peer of a connection.
pub struct PeerConduct {
    pub refusals: RefusalStreak,
    pub tracker: SharedTracker,
    address: Option<IpAddr>,
    metrics: ConnectionMetrics,
    /// The peer was told to leave for its refused calls.
    is_told: bool,
}

impl PeerConduct {
    pub fn new(peer: &TcpConnectInfo, metrics: ConnectionMetrics) -> Self {
        Self {
            refusals: RefusalStreak::default(),
            tracker: SharedTracker::new(),
            address: peer.remote_addr().map(|peer| peer.ip()),
            metrics,
            is_told: false,
        }
    }

    /// Waits until the peer has exceeded a bound.
    pub async fn exceeded(&self) -> ConnectionEnd {
        tokio::select! {
            () = self.refusals.exceeded() => ConnectionEnd::Refusals,
            () = self.tracker.resets_exceeded() => ConnectionEnd::Resets,
        }
    }

    /// Records an exceeded bound, and returns the step that is due: refused calls close the
    /// connection if they go on after a notice.
    pub fn judge(&mut self, end: ConnectionEnd) -> RetirementStep {
        if end == ConnectionEnd::Refusals && self.is_told {
            return RetirementStep::Close;
        }
        self.is_told |= end == ConnectionEnd::Refusals;
        self.record(end);
        RetirementStep::Tell
    }

    /// Records the end of the connection, if the peer's frames caused it.
    pub fn record_flood(&self) {
        if self.tracker.has_flood() {
            self.record(ConnectionEnd::Flood);
        }
    }

    fn record(&self, end: ConnectionEnd) {
        self.metrics.ended(end);
        tracing::info!(
            client.address = self.address.map(display),
            connection.end.reason = end.as_str(),
            "connection.peer_exceeded"
        );
    }
}
