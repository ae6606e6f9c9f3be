//! The ports of all listeners.

use std::net::SocketAddr;
use std::sync::Arc;

use super::drain::Drain;
use super::grpc_port::{ConnectionLimits, GrpcPort};
use super::http2::{ConnectionOptions, GrpcService};
use super::operations::{self, OperationsPort};
use super::prepared_config::PreparedConfig;
use super::readiness::Readiness;
use super::tls::ClientScopes;
use crate::config::Config;
use telemetry::{ConnectionMetrics, Metrics};

/// Bound ports of the gRPC listeners that the configuration enables.
pub struct GrpcPorts {
    user: Option<GrpcPort>,
    sys: Option<GrpcPort>,
}

/// Bound ports of probes and metrics that the configuration enables.
pub struct OperationsPorts {
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
    /// Addresses of the gRPC ports, and of operations and probes.
    pub const fn of(
        [user, sys]: [Option<SocketAddr>; 2],
        [operations, probes]: [Option<SocketAddr>; 2],
    ) -> Self {
        Self {
            user,
            sys,
            operations,
            probes,
        }
    }

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

impl GrpcPorts {
    /// Binds the ports.
    ///
    /// # Errors
    /// If one of the addresses is in use or not available.
    pub fn bind(config: &Config) -> anyhow::Result<Self> {
        let limits = ConnectionLimits {
            all: config.limits.connections.size(),
            per_address: config.limits.connections_per_address.size(),
        };
        let grpc = |name, enabled: bool, address| {
            enabled
                .then(|| GrpcPort::bind(name, address, limits))
                .transpose()
        };
        Ok(Self {
            user: grpc("user", config.user.enabled, config.user.address)?,
            sys: grpc("sys", config.sys.enabled, config.sys.address)?,
        })
    }

    /// Addresses of the ports.
    pub fn addresses(&self) -> anyhow::Result<[Option<SocketAddr>; 2]> {
        let grpc = |port: &Option<GrpcPort>| port.as_ref().map(GrpcPort::address).transpose();
        Ok([grpc(&self.user)?, grpc(&self.sys)?])
    }

    /// Starts to serve on the ports, until the drain.
    pub fn serve(self, prepared: PreparedConfig, [user, sys]: [GrpcService; 2], drain: &Drain) {
        let client_scopes = ClientScopes::of(&prepared.config.sys.client).map(Arc::new);
        let streams_max = prepared.config.limits.streams_per_connection.get();
        let metrics = ConnectionMetrics::new();
        let grpc = |port: Option<GrpcPort>, tls, client_scopes, service: GrpcService| {
            if let Some(port) = port {
                let (drain, metrics) = (drain.clone(), metrics.clone());
                tokio::spawn(port.run(ConnectionOptions {
                    tls,
                    client_scopes,
                    streams_max,
                    service,
                    drain,
                    metrics,
                }));
            }
        };
        grpc(self.user, prepared.user_tls, None, user);
        grpc(self.sys, prepared.sys_tls, client_scopes, sys);
    }
}

impl OperationsPorts {
    /// Binds the ports.
    ///
    /// # Errors
    /// If one of the addresses is in use or not available.
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let operations = config
            .operations
            .enabled
            .then_some(config.operations.address);
        Ok(Self {
            operations: bind_http(operations).await?,
            probes: bind_http(config.operations.probes_address).await?,
        })
    }

    /// Addresses of the ports.
    pub fn addresses(&self) -> anyhow::Result<[Option<SocketAddr>; 2]> {
        let http =
            |port: &Option<OperationsPort>| port.as_ref().map(OperationsPort::address).transpose();
        Ok([http(&self.operations)?, http(&self.probes)?])
    }

    /// Starts to serve on the ports, until connections are cut.
    pub fn serve(self, readiness: Readiness, metrics: Metrics, drain: &Drain) {
        let probes = operations::probes(readiness);
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
