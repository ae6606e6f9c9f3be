//! A port of a gRPC listener, and its accept loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use telemetry::ConnectionEnd;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;
use tonic::transport::server::TcpIncoming;

use super::connections::{ConnectionGuard, Connections};
use super::http2::ConnectionOptions;
use crate::limits::{ACCEPT_RETRY_DELAY, KEEPALIVE_INTERVAL, LISTEN_BACKLOG, ROOM_INTERVAL};

/// A bound port of a gRPC listener.
pub struct GrpcPort {
    name: &'static str,
    incoming: TcpIncoming,
    limits: ConnectionLimits,
}

/// Limits of the connections of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Maximum number of connections.
    pub all: usize,
    /// Maximum number of connections of one address; 0 for any number.
    pub per_address: usize,
}

impl GrpcPort {
    /// Binds the port of the listener `name`.
    ///
    /// # Errors
    /// If the address is in use or not available.
    pub fn bind(
        name: &'static str,
        address: SocketAddr,
        limits: ConnectionLimits,
    ) -> anyhow::Result<Self> {
        let incoming = listen(address)
            .map(TcpIncoming::from)
            .with_context(|| format!("cannot listen on {address} ({name})"))?
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE_INTERVAL));
        Ok(Self {
            name,
            incoming,
            limits,
        })
    }

    /// Address of the port, with its actual number if the configuration has 0.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.incoming.local_addr()?)
    }

    /// Accepts and serves connections until the drain begins. When there are as many as there may
    /// be, the idlest gives way; if all have calls, new ones wait in the kernel.
    pub async fn run(mut self, options: ConnectionOptions) {
        if options.tls.is_none() && self.address().is_ok_and(|it| !it.ip().is_loopback()) {
            tracing::warn!(listener.name = self.name, "listener.plaintext");
        }
        let drain = options.drain.clone();
        let permits = Arc::new(Semaphore::new(self.limits.all));
        let connections = Connections::new(self.limits.per_address);
        loop {
            let next = async {
                let permit = permit(&permits, &connections).await?;
                Some((permit, self.incoming.next().await?))
            };
            let accepted = tokio::select! {
                accepted = next => accepted,
                () = drain.begun() => return,
            };
            match accepted {
                Some((permit, Ok(stream))) => {
                    let Some(guard) = opened(&connections, &stream) else {
                        options.metrics.ended(ConnectionEnd::AddressLimit);
                        tracing::debug!(listener.name = self.name, "connection.address_full");
                        continue;
                    };
                    let guards = (permit, drain.hold());
                    let options = options.clone();
                    tokio::spawn(async move {
                        options.serve(stream, guard).await;
                        drop(guards);
                    });
                }
                Some((_, Err(error))) => self.delay_retry(&error).await,
                None => return,
            }
        }
    }

    /// Waits before the next attempt: without a delay the loop would spin for as long as no file
    /// descriptor is free.
    async fn delay_retry(&self, error: &io::Error) {
        tracing::warn!(listener.name = self.name, %error, "listener.accept_failed");
        sleep(ACCEPT_RETRY_DELAY).await;
    }
}

/// Waits for room for another connection, and makes some.
async fn permit(
    permits: &Arc<Semaphore>,
    connections: &Connections,
) -> Option<OwnedSemaphorePermit> {
    loop {
        match timeout(ROOM_INTERVAL, permits.clone().acquire_owned()).await {
            Ok(permit) => return permit.ok(),
            Err(_) => connections.close_idlest(),
        }
    }
}

/// Registers an accepted connection; `None` if its address has as many as it may, or it is gone.
fn opened(connections: &Connections, stream: &TcpStream) -> Option<ConnectionGuard> {
    connections.open(stream.peer_addr().ok()?)
}

/// Listens with a backlog that holds the clients of a whole server that has ended. With the default
/// of 128 the kernel would reset connections that it has already reported as open.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // For addresses with lingering connections; an address with a listener is still refused.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Connections, more than the 128 of the default backlog.
    const CONNECTIONS: usize = 400;
    /// State of a listening socket in `/proc/net/tcp`.
    const LISTEN: &str = "0A";

    /// Connections that the kernel holds for the listener on this address until they are accepted.
    fn waiting(address: SocketAddr) -> usize {
        let sockets = fs::read_to_string("/proc/net/tcp").expect("a table of sockets");
        let port = format!(":{:04X}", address.port());
        let waiting = sockets.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, _, state, queues, ..] = fields[..] else {
                return None;
            };
            let (_, waiting) = queues.split_once(':')?;
            (local.ends_with(&port) && state == LISTEN).then_some(waiting)
        });
        let waiting = waiting.expect("a listening socket");
        usize::from_str_radix(waiting, 16).expect("a number")
    }

    #[tokio::test]
    async fn connections_wait_until_they_are_accepted() {
        let limits = ConnectionLimits {
            all: 1,
            per_address: 0,
        };
        let address = "127.0.0.1:0".parse().expect("an address");
        let port = GrpcPort::bind("user", address, limits).expect("a port");
        let address = port.address().expect("an address");
        let mut clients = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            clients.push(TcpStream::connect(address).await.expect("a connection"));
        }
        assert_eq!(waiting(address), clients.len());
    }
}
