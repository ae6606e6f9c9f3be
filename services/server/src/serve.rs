//! The running service: start, ports, services and drain.
//!
//! [`PreparedConfig`] holds everything that is checked before any port is bound. [`run`] opens the
//! store, binds the ports, serves until a signal, and drains.

mod drain;
mod grpc_port;
mod grpc_services;
mod health;
mod housekeeping;
mod http2;
mod operations;
mod ports;
mod prepared_config;
mod reflection;
mod signals;
mod tls;

use std::sync::Arc;

use anyhow::Context;
use realtime::Hub;
use storage::Store;
use telemetry::Metrics;
use tokio::time::{Instant, timeout_at};

pub use ports::Addresses;

use drain::Drain;
use grpc_services::GrpcServices;
use health::Health;
use ports::Ports;
use prepared_config::PreparedConfig;
use signals::Signals;

use crate::config::Config;
use crate::failure::Failure;
use crate::limits::DRAIN_STORE;

/// Serves until a signal, then drains. `ready` is called once, when all ports are bound.
///
/// # Errors
/// If a file that the configuration names is not usable, the store cannot be opened, or a port is
/// in use.
pub async fn run(config: Config, ready: impl FnOnce(&Addresses)) -> Result<(), Failure> {
    // Dropped at the end of this function, so that the telemetry of a failed start is flushed.
    let telemetry = telemetry::start(&telemetry_options(&config)).map_err(anyhow::Error::from)?;
    let prepared = PreparedConfig::prepare(config).await?;
    Ok(serve(prepared, telemetry.metrics(), ready).await?)
}

fn telemetry_options(config: &Config) -> telemetry::Options {
    let endpoint = config.traces.otlp_endpoint.as_ref();
    telemetry::Options {
        format: config.log.format,
        filter: config.log.level.clone(),
        otlp_endpoint: endpoint.map(|endpoint| endpoint.as_str().to_owned()),
    }
}

async fn serve(
    prepared: PreparedConfig,
    metrics: Metrics,
    ready: impl FnOnce(&Addresses),
) -> anyhow::Result<()> {
    let mut signals = Signals::catch().context("the signal handlers cannot be installed")?;
    let database = &prepared.config.database.url;
    let hub = Hub::new();
    let options = storage_sql::Options {
        listener: hub.clone(),
        ..prepared.config.store_options()
    };
    let store = storage_sql::open(&options)
        .await
        .with_context(|| format!("cannot open {database}"))?;
    let drain = Drain::default();
    realtime::start_polling(&hub, store.clone(), realtime::POLL_INTERVAL);
    housekeeping::start(store.clone());
    let services = GrpcServices::build(&prepared, &store, &hub).await?;
    let ports = Ports::bind(&prepared.config).await?;
    let addresses = ports.addresses()?;

    tracing::info!(%database, "store.opened");
    let health = [services.user.health, services.sys.health];
    let services = [services.user.service, services.sys.service];
    ports.serve(prepared, services, &store, metrics, &drain);
    for (name, address) in addresses.named() {
        tracing::info!(listener.name = name, listener.address = %address, "listener.open");
    }
    ready(&addresses);

    let signal = signals.next().await;
    tracing::info!(signal.name = signal, "drain.begun");
    signals.exit_on_next();
    hub.drain();
    shut_down(&drain, health, &store).await;
    Ok(())
}

/// Reports `NOT_SERVING`, drains the calls, and closes the store.
async fn shut_down(drain: &Drain, health: [Health; 2], store: &Arc<dyn Store>) {
    let store_deadline = Instant::now() + DRAIN_STORE;
    for listener in health {
        listener.stop_serving().await;
    }
    if !drain.run().await {
        tracing::warn!("drain.calls_cut");
    }
    if timeout_at(store_deadline, store.close()).await.is_err() {
        tracing::warn!("drain.store_left_open");
    }
    tracing::info!("drain.done");
}
