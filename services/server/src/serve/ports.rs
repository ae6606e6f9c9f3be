//! The ports of the service: all bound, or none.

use std::net::SocketAddr;
use std::sync::Arc;

use storage::Store;
use telemetry::Metrics;
use tokio_rustls::TlsAcceptor;

use super::calls::Answerer;
use super::connection::Connections;
use super::drain::Drain;
use super::listener::Listener;
use super::operations::{self, Probes};
use super::plan::Plan;
use crate::config::Config;

/// What is bound.
pub struct Ports {
    user: Option<Listener>,
    sys: Option<Listener>,
    operations: Option<operations::Listener>,
    probes: Option<operations::Listener>,
}

/// Where the service listens, with real ports.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    pub user: Option<SocketAddr>,
    pub sys: Option<SocketAddr>,
    pub operations: Option<SocketAddr>,
    pub probes: Option<SocketAddr>,
}

impl Addresses {
    /// Those that are, by name.
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
    /// Binds what the configuration enables.
    ///
    /// # Errors
    /// If one of the ports is not free.
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let connections_max = config.limits.connections.size();
        let grpc = |name, enabled: bool, address| {
            enabled
                .then(|| Listener::bind(name, address, connections_max))
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

    /// Where they are.
    pub fn addresses(&self) -> anyhow::Result<Addresses> {
        let http = |listener: &Option<operations::Listener>| {
            listener
                .as_ref()
                .map(operations::Listener::address)
                .transpose()
        };
        Ok(Addresses {
            user: self.user.as_ref().map(Listener::address).transpose()?,
            sys: self.sys.as_ref().map(Listener::address).transpose()?,
            operations: http(&self.operations)?,
            probes: http(&self.probes)?,
        })
    }

    /// Begins to answer, until the drain says otherwise.
    pub fn serve(
        self,
        plan: Plan,
        [user, sys]: [Answerer; 2],
        store: &Arc<dyn Store>,
        metrics: Metrics,
        drain: &Drain,
    ) {
        let streams_max = plan.config.limits.streams_per_connection.get();
        let grpc = |listener: Option<Listener>, tls: Option<TlsAcceptor>, answerer: Answerer| {
            if let Some(listener) = listener {
                let drain = drain.clone();
                tokio::spawn(listener.run(Connections {
                    tls,
                    streams_max,
                    answerer,
                    drain,
                }));
            }
        };
        grpc(self.user, plan.user_tls, user);
        grpc(self.sys, plan.sys_tls, sys);

        let probes = operations::probes(Probes {
            store: store.clone(),
            drain: drain.clone(),
        });
        let all = probes.clone().merge(operations::metrics(metrics));
        for (listener, router) in [(self.operations, all), (self.probes, probes)] {
            if let Some(listener) = listener {
                tokio::spawn(listener.run(router, drain.clone()));
            }
        }
    }
}

async fn bind_http(address: Option<SocketAddr>) -> anyhow::Result<Option<operations::Listener>> {
    match address {
        None => Ok(None),
        Some(address) => operations::Listener::bind(address).await.map(Some),
    }
}
