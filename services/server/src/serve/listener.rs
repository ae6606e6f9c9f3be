//! A port, and the loop that takes its connections.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_stream::StreamExt;
use tonic::transport::server::TcpIncoming;

use super::connection::Connections;
use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_WAITING_MAX, KEEPALIVE};

/// A bound port of a gRPC listener.
pub struct Listener {
    name: &'static str,
    incoming: TcpIncoming,
    connections_max: usize,
}

impl Listener {
    /// Binds the port.
    ///
    /// # Errors
    /// If it is not free.
    pub fn bind(
        name: &'static str,
        address: SocketAddr,
        connections_max: usize,
    ) -> anyhow::Result<Self> {
        let listening = listen(address);
        let incoming = listening
            .map(TcpIncoming::from)
            .with_context(|| format!("cannot listen on {address} ({name})"))?
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE));
        Ok(Self {
            name,
            incoming,
            connections_max,
        })
    }

    /// Where it listens: the port is the real one where the configuration says 0.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.incoming.local_addr()?)
    }

    /// Takes connections until the drain begins; beyond the most that it may have, others
    /// wait in the kernel until one ends.
    pub async fn run(mut self, connections: Connections) {
        let drain = connections.drain.clone();
        let places = Arc::new(Semaphore::new(self.connections_max));
        loop {
            let next = async {
                let place = places.clone().acquire_owned().await.ok()?;
                Some((place, self.incoming.next().await?))
            };
            let accepted = tokio::select! {
                accepted = next => accepted,
                () = drain.begun() => return,
            };
            match accepted {
                Some((place, Ok(stream))) => {
                    let serving = (place, drain.hold());
                    let connections = connections.clone();
                    tokio::spawn(async move {
                        connections.serve(stream).await;
                        drop(serving);
                    });
                }
                Some((_, Err(error))) => self.rest(&error).await,
                None => return,
            }
        }
    }

    /// Without a pause, the loop would spin for as long as no descriptor is free.
    async fn rest(&self, error: &std::io::Error) {
        tracing::warn!(listener.name = self.name, %error, "listener.accept_failed");
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Those of a server that has ended come all at once. Were there room for as few as by default,
/// 128, the kernel would reset some of the connections that it has told their clients are open.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Not for the addresses that others listen on: for those that connections still linger on.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(CONNECTIONS_WAITING_MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::net::TcpStream;

    use super::*;

    /// Connections, more than the 128 that wait by default.
    const AT_ONCE: usize = 400;
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
        let address = "127.0.0.1:0".parse().expect("an address");
        let listener = Listener::bind("user", address, 1).expect("a port");
        let address = listener.address().expect("an address");
        let mut clients = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE {
            clients.push(TcpStream::connect(address).await.expect("a connection"));
        }
        assert_eq!(waiting(address), clients.len());
    }
}
