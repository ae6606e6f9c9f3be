//! The ports of all listeners: all are bound, or none.

use std::net::SocketAddr;
use std::sync::Arc;

use storage::Store;
use telemetry::Metrics;
use tokio_rustls::TlsAcceptor;

use super::drain::Drain;
use super::grpc_port::GrpcPort;
use super::http2::{ConnectionOptions, GrpcService};
use super::operations::{self, OperationsPort, Probes};
use super::prepared_config::PreparedConfig;
use crate::config::Config;

/// Bound ports of the listeners that the configuration enables.
pub struct Ports {
    user: Option<GrpcPort>,
    sys: Option<GrpcPort>,
    operations: Option<OperationsPort>,
    probes: Option<OperationsPort>,
}

/// Addresses of the bound ports, with their actual numbers.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    pub user: Option<SocketAddr>,
    pub sys: Option<SocketAddr>,
    pub operations: Option<SocketAddr>,
    pub probes: Option<SocketAddr>,
}

impl Addresses {
    /// Addresses of the enabled listeners, with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let all = [
            ("user", self.user),
            ("sys", self.sys),
            ("operations", self.operations),
            ("probes", self.probes),
        ];
        all.into_iter()
            .filter_map(|(name, address)| Some((name, address?)))
    }
}

impl Ports {
    /// Binds the ports that the configuration enables.
    ///
    /// # Errors
    /// If one of the addresses is in use or not available.
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let connections_max = config.limits.connections.size();
        let grpc = |name, enabled: bool, address| {
            enabled
                .then(|| GrpcPort::bind(name, address, connections_max))
                .transpose()
        };
        let operations = config
            .operations
            .enabled
            .then_some(config.operations.address);
        Ok(Self {
            user: grpc("user", config.user.enabled, config.user.address)?,
            sys: grpc("sys", config.sys.enabled, config.sys.address)?,
            operations: bind_http(operations).await?,
            probes: bind_http(config.operations.probes_address).await?,
        })
    }

    /// Addresses of the ports.
    pub fn addresses(&self) -> anyhow::Result<Addresses> {
        let http = |listener: &Option<OperationsPort>| {
            listener.as_ref().map(OperationsPort::address).transpose()
        };
        Ok(Addresses {
            user: self.user.as_ref().map(GrpcPort::address).transpose()?,
            sys: self.sys.as_ref().map(GrpcPort::address).transpose()?,
            operations: http(&self.operations)?,
            probes: http(&self.probes)?,
        })
    }

    /// Starts to serve on all ports, until the drain.
    pub fn serve(
        self,
        prepared: PreparedConfig,
        [user, sys]: [GrpcService; 2],
        store: &Arc<dyn Store>,
        metrics: Metrics,
        drain: &Drain,
    ) {
        let streams_max = prepared.config.limits.streams_per_connection.get();
        let grpc = |port: Option<GrpcPort>, tls: Option<TlsAcceptor>, service: GrpcService| {
            if let Some(port) = port {
                let drain = drain.clone();
                tokio::spawn(port.run(ConnectionOptions {
                    tls,
                    streams_max,
                    service,
                    drain,
                }));
            }
        };
        grpc(self.user, prepared.user_tls, user);
        grpc(self.sys, prepared.sys_tls, sys);

        let probes = operations::probes(Probes {
            store: store.clone(),
            drain: drain.clone(),
        });
        let all = probes.clone().merge(operations::metrics(metrics));
        for (port, router) in [(self.operations, all), (self.probes, probes)] {
            if let Some(port) = port {
                tokio::spawn(port.run(router, drain.clone()));
            }
        }
    }
}

async fn bind_http(address: Option<SocketAddr>) -> anyhow::Result<Option<OperationsPort>> {
    match address {
        None => Ok(None),
        Some(address) => OperationsPort::bind(address).await.map(Some),
    }
}
