//! The running service: start, ports, services and drain.
//!
//! [`PreparedConfig`] holds everything that is checked before any port is bound. [`run`] serves
//! probes and metrics, opens the store, serves calls until a signal, and drains.

mod connections;
mod drain;
mod grpc_port;
mod grpc_services;
mod health;
mod housekeeping;
mod http2;
mod open_store;
mod open_streams;
mod operations;
mod ports;
mod prepared_config;
mod readiness;
mod reflection;
mod service_manager;
mod signals;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use realtime::Hub;
use storage::Store;
use storage_sql::{FileAccess, StoreClock};
use telemetry::Metrics;
use tokio::time::{Instant, sleep, timeout_at};

pub use ports::Addresses;

use drain::Drain;
use grpc_services::GrpcServices;
use health::Health;
use housekeeping::Housekeeping;
use ports::{GrpcPorts, OperationsPorts};
use prepared_config::PreparedConfig;
use readiness::Readiness;
use signals::Signals;

use crate::audit_key::check_audit_key;
use crate::config::Config;
use crate::failure::Failure;
use crate::limits::DRAIN_STORE;

/// Serves until a signal, then drains. `ready` is called once, when all ports are bound.
///
/// # Errors
/// If a file that the configuration names is not usable, the store cannot be opened, its audit log has
/// another key, or a port is in use.
pub async fn run(config: Config, ready: impl FnOnce(&Addresses)) -> Result<(), Failure> {
    // Dropped at the end of this function, so that the telemetry of a failed start is flushed.
    let telemetry = telemetry::start(&telemetry_options(&config)).map_err(anyhow::Error::from)?;
    let prepared = PreparedConfig::prepare(config).await?;
    serve(prepared, telemetry.metrics(), ready).await
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
) -> Result<(), Failure> {
    let mut signals = Signals::catch().context("the signal handlers cannot be installed")?;
    let drain = Drain::default();
    let readiness = Readiness::starting(prepared.authenticator.clone(), drain.clone());
    let operations = OperationsPorts::bind(&prepared.config).await?;
    let operations_addresses = operations.addresses()?;
    operations.serve(readiness.clone(), metrics, &drain);

    let database = &prepared.config.database.url;
    let hub = Hub::new();
    let options = storage_sql::Options {
        listener: hub.clone(),
        clock: StoreClock::Checked(prepared.clock.clone()),
        ..prepared.config.store_options(FileAccess::Exclusive)
    };
    let store = tokio::select! {
        store = open_store::open(database, &options) => store?,
        _ = signals.next() => return Ok(()),
    };
    tracing::info!(%database, "store.opened");
    check_audit_key(&prepared.config.audit, &*store).await?;
    realtime::start_polling(&hub, store.clone(), realtime::POLL_INTERVAL);
    let housekeeping = Housekeeping::start(&store);
    let services = GrpcServices::build(&prepared, &store, &hub)?;
    let ports = GrpcPorts::bind(&prepared.config)?;
    let addresses = Addresses::of(ports.addresses()?, operations_addresses);

    let timing = prepared.config.drain.clone();
    let health = [services.user.health, services.sys.health];
    let services = [services.user.service, services.sys.service];
    ports.serve(prepared, services, &drain);
    readiness.opened(store.clone());
    for (name, address) in addresses.named() {
        tracing::info!(listener.name = name, listener.address = %address, "listener.open");
    }
    ready(&addresses);
    service_manager::report_ready();

    let signal = signals.next().await;
    service_manager::report_stopping();
    announce(&drain, &health);
    tracing::info!(signal.name = signal, "drain.announced");
    let drained = async {
        sleep(timing.delay()).await;
        tracing::info!("drain.begun");
        hub.drain();
        shut_down(&drain, health, timing.calls(), housekeeping, &store).await;
    };
    tokio::select! {
        () = drained => Ok(()),
        signal = signals.next() => {
            tracing::warn!(signal.name = signal, "drain.aborted");
            Err(Failure::Undrained)
        }
    }
}

/// Reports that the replica is not ready. It serves on for a while, so that load balancers turn to
/// others before it refuses connections.
fn announce(drain: &Drain, health: &[Health; 2]) {
    drain.announce();
    for listener in health {
        listener.stop_serving();
    }
}

/// Drains the calls, which have `calls` to end, ends the background tasks, and closes the store.
async fn shut_down(
    drain: &Drain,
    health: [Health; 2],
    calls: Duration,
    housekeeping: Housekeeping,
    store: &Arc<dyn Store>,
) {
    let store_deadline = Instant::now() + calls + DRAIN_STORE;
    drop(health);
    if !drain.run(calls).await {
        tracing::warn!("drain.calls_cut");
    }
    let end = async {
        housekeeping.end().await;
        store.close().await;
    };
    if timeout_at(store_deadline, end).await.is_err() {
        tracing::warn!("drain.store_left_open");
    }
    tracing::info!("drain.done");
}
