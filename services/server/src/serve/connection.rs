//! One connection, from its handshake to its end.

use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::calls::{Answerer, Calls};
use super::drain::Drain;
use super::heard::{Heard, Hearing};
use crate::limits::{
    HEADER_LIST_BYTES_MAX, KEEPALIVE, KEEPALIVE_TIMEOUT, SEND_BUFFER_BYTES_MAX, UNFINISHED_CHECK,
    UNFINISHED_MAX,
};

/// What the connections of a listener have in common.
#[derive(Clone)]
pub struct Connections {
    pub tls: Option<TlsAcceptor>,
    pub streams_max: u32,
    pub answerer: Answerer,
    pub drain: Drain,
}

impl Connections {
    /// Serves one, to its end.
    pub async fn serve(self, stream: TcpStream) {
        let peer = stream.connect_info();
        let Some(tls) = self.tls.clone() else {
            return self.serve_http2(stream, peer).await;
        };
        let handshake = timeout(UNFINISHED_MAX, tls.accept(stream));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            () = self.drain.begun() => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.serve_http2(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(%error, "connection.handshake_failed"),
            Err(_) => tracing::debug!("connection.handshake_timeout"),
        }
    }

    async fn serve_http2<S>(self, stream: S, peer: TcpConnectInfo)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let hearing = Hearing::new();
        let calls = Calls::new(self.answerer, peer, self.drain.clone());
        let gauge = calls.gauge();
        let owes = || hearing.unfinished_since().filter(|_| gauge.is_idle());
        let io = TokioIo::new(Heard::new(stream, hearing.clone()));
        let mut connection = pin!(http2_builder(self.streams_max).serve_connection(io, calls));

        let mut check = interval(UNFINISHED_CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut draining = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection.failed");
                    }
                    return;
                }
                now = check.tick() => {
                    if owes().is_some_and(|since| now.duration_since(since) >= UNFINISHED_MAX) {
                        tracing::debug!("connection.unfinished");
                        return;
                    }
                }
                () = self.drain.begun(), if !draining => {
                    if owes().is_some() {
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

fn http2_builder(streams_max: u32) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams_max)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
        .keep_alive_interval(keepalive())
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    builder
}

/// Give or take a fifth, so that connections that began together are not pinged together.
fn keepalive() -> Duration {
    KEEPALIVE.mul_f64(rand::random_range(0.8..=1.2))
}

#[cfg(test)]
mod tests;
