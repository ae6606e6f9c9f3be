//! A port, and the loop that takes its connections.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_stream::StreamExt;
use tonic::transport::server::TcpIncoming;

use super::connection::Connections;
use crate::limits::{ACCEPT_PAUSE, KEEPALIVE};

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
        let incoming = TcpIncoming::bind(address)
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
