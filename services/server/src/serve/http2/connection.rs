//! A connection, from its TLS handshake to its end.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use rpc::{ConnectionScopes, RefusalStreak};
use telemetry::ConnectionMetrics;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::body::Body;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use super::calls::{ConnectionCalls, GrpcService};
use super::executor::CallExecutor;
use super::peer_conduct::PeerConduct;
use super::retirement::{Retirement, RetirementStep};
use super::tap::Tap;
use crate::limits::{
    HEADER_LIST_BYTES_MAX, INCOMPLETE_CHECK_INTERVAL, INCOMPLETE_TIMEOUT, KEEPALIVE_INTERVAL,
    KEEPALIVE_TIMEOUT, RESETS_PENDING_MAX, SEND_BUFFER_BYTES_MAX,
};
use crate::serve::connections::ConnectionGuard;
use crate::serve::drain::Drain;
use crate::serve::open_streams::ConnectionPlaces;
use crate::serve::tls::{ClientScopes, ReloadedTls};

/// Options that the connections of a listener share.
#[derive(Clone)]
pub struct ConnectionOptions {
    /// TLS; `None` means plaintext.
    pub tls: Option<ReloadedTls>,
    /// Scopes by certificates of clients; `None` if certificates decide nothing.
    pub client_scopes: Option<Arc<ClientScopes>>,
    /// Maximum number of open calls per connection.
    pub streams_max: u32,
    pub service: GrpcService,
    pub drain: Drain,
    pub metrics: ConnectionMetrics,
}

impl ConnectionOptions {
    /// Serves a connection to its end.
    pub async fn serve(self, stream: TcpStream, guard: ConnectionGuard) {
        let peer = stream.connect_info();
        let Some(tls) = self.tls.as_ref().map(ReloadedTls::acceptor) else {
            return self.serve_http2(stream, peer, None, guard).await;
        };
        let handshake = timeout(INCOMPLETE_TIMEOUT, tls.accept(stream));
        let accepted = tokio::select! {
            accepted = handshake => accepted,
            () = self.drain.begun() => return,
            () = guard.closing() => return,
        };
        match accepted {
            Ok(Ok(stream)) => {
                let certificates = stream.get_ref().1.peer_certificates();
                let scopes = self.client_scopes.as_ref();
                let scopes = scopes.map(|clients| ConnectionScopes(clients.granted(certificates)));
                self.serve_http2(stream, peer, scopes, guard).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "connection.handshake_failed"),
            Err(_) => tracing::debug!("connection.handshake_timeout"),
        }
    }

    async fn serve_http2<S>(
        self,
        stream: S,
        peer: TcpConnectInfo,
        scopes: Option<ConnectionScopes>,
        guard: ConnectionGuard,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut conduct = PeerConduct::new(&peer, self.metrics);
        let tracker = conduct.tracker.clone();
        let service = within_connection(self.service, conduct.refusals.clone(), scopes);
        let calls = ConnectionCalls::new(service, peer, self.drain.clone());
        let counts = calls.counts();
        let incomplete_since = || tracker.incomplete_since().filter(|_| counts.is_idle());
        let io = TokioIo::new(Tap::new(stream, tracker.clone()));
        let mut connection = pin!(http2_builder(self.streams_max).serve_connection(io, calls));

        let mut check = interval(INCOMPLETE_CHECK_INTERVAL);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut retirement = Retirement::new(counts.clone());
        let (mut draining, mut giving_way) = (false, false);
        loop {
            let turn = poll_fn(|cx| {
                tracker.begin_turn();
                connection.as_mut().poll(cx)
            });
            tokio::select! {
                ended = turn => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection.failed");
                    }
                    conduct.record_flood();
                    return;
                }
                now = check.tick() => {
                    let is_due = |since| now.duration_since(since) >= INCOMPLETE_TIMEOUT;
                    if incomplete_since().is_some_and(is_due) {
                        tracing::debug!("connection.incomplete_timeout");
                        return;
                    }
                    match retirement.check(now) {
                        RetirementStep::Stay => {}
                        RetirementStep::Tell => connection.as_mut().graceful_shutdown(),
                        RetirementStep::Close => return,
                    }
                    guard.set_idle_since(retirement.idle_since());
                }
                () = guard.closing(), if !giving_way => {
                    // A call may have begun since the last check.
                    if counts.is_idle() {
                        tracing::debug!("connection.closed_for_another");
                        return;
                    }
                    giving_way = true;
                    connection.as_mut().graceful_shutdown();
                }
                end = conduct.exceeded() => match conduct.judge(end) {
                    RetirementStep::Close => return,
                    _ => connection.as_mut().graceful_shutdown(),
                },
                () = self.drain.begun(), if !draining => {
                    if incomplete_since().is_some() {
                        return;
                    }
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.drain.cut() => return,
            }
        }
    }
}

/// Adds what the calls of a connection share to their extensions.
fn within_connection(
    service: GrpcService,
    refusals: RefusalStreak,
    scopes: Option<ConnectionScopes>,
) -> GrpcService {
    let places = ConnectionPlaces::new();
    let shared = service.map_request(move |mut request: Request<Body>| {
        request.extensions_mut().insert(places.clone());
        request.extensions_mut().insert(refusals.clone());
        if let Some(scopes) = scopes {
            request.extensions_mut().insert(scopes);
        }
        request
    });
    BoxCloneSyncService::new(shared)
}

fn http2_builder(streams_max: u32) -> http2::Builder<CallExecutor> {
    let mut builder = http2::Builder::new(CallExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams_max)
        // Before they are handed over; the tracker counts all of them.
        .max_pending_accept_reset_streams(Some(RESETS_PENDING_MAX))
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
        .keep_alive_interval(keepalive_interval())
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    builder
}

/// Keepalive interval with a jitter of ±20 %, so that connections that were opened together are
/// not pinged together.
fn keepalive_interval() -> Duration {
    KEEPALIVE_INTERVAL.mul_f64(rand::random_range(0.8..=1.2))
}

#[cfg(test)]
mod tests;
