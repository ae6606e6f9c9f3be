//! The running service: what is listened to, what answers, and how it ends.
//!
//! A [`Plan`] holds everything that was checked before any port is bound. [`run`] opens
//! the store, binds, serves until a signal, and drains.

mod answerers;
mod calls;
mod connection;
mod drain;
mod heard;
mod housekeeping;
mod inbound;
mod listener;
mod operations;
mod plan;
mod ports;
mod services;
mod signals;
mod tls;
mod whole;

use std::sync::Arc;

use anyhow::Context;
use realtime::Hub;
use storage::Store;
use telemetry::Metrics;
use tokio::time::{Instant, timeout_at};

pub use ports::Addresses;

use answerers::Answerers;
use drain::Drain;
use plan::Plan;
use ports::Ports;
use services::Health;
use signals::Signals;

use crate::commands::options::store_options;
use crate::config::Config;
use crate::failure::Failure;
use crate::limits::DRAIN_STORE;

/// Serves until a signal, then drains. `ready` is called once, when all ports are bound.
///
/// # Errors
/// If a file that the configuration names is not usable, the store cannot be opened, or a
/// port is not free.
pub async fn run(config: Config, ready: impl FnOnce(&Addresses)) -> Result<(), Failure> {
    // Until the end of this function, so that the telemetry of a failed start is flushed.
    let telemetry = telemetry::start(&telemetry_options(&config)).map_err(anyhow::Error::from)?;
    let plan = Plan::prepare(config).await?;
    Ok(serve(plan, telemetry.metrics(), ready).await?)
}

fn telemetry_options(config: &Config) -> telemetry::Options {
    let endpoint = config.traces.otlp_endpoint.as_ref();
    telemetry::Options {
        format: config.log.format,
        filter: config.log.level.clone(),
        otlp_endpoint: endpoint.map(|endpoint| endpoint.as_str().to_owned()),
    }
}

async fn serve(plan: Plan, metrics: Metrics, ready: impl FnOnce(&Addresses)) -> anyhow::Result<()> {
    let mut signals = Signals::catch().context("signals cannot be caught")?;
    let database = &plan.config.database.url;
    let hub = Hub::new();
    let options = storage_sql::Options {
        listener: hub.clone(),
        ..store_options(&plan.config)
    };
    let store = storage_sql::open(&options)
        .await
        .with_context(|| format!("cannot open {database}"))?;
    let drain = Drain::default();
    realtime::follow(&hub, store.clone(), realtime::POLL_EVERY);
    housekeeping::start(store.clone());
    let answerers = Answerers::build(&plan, &store, &hub).await?;
    let ports = Ports::bind(&plan.config).await?;
    let addresses = ports.addresses()?;

    tracing::info!(%database, "store.opened");
    let health = [answerers.user.health, answerers.sys.health];
    let answerers = [answerers.user.answerer, answerers.sys.answerer];
    ports.serve(plan, answerers, &store, metrics, &drain);
    for (name, address) in addresses.named() {
        tracing::info!(listener.name = name, listener.address = %address, "listener.open");
    }
    ready(&addresses);

    let signal = signals.next().await;
    tracing::info!(signal.name = signal, "drain.begun");
    signals.arm();
    hub.drain();
    end(&drain, health, &store).await;
    Ok(())
}

async fn end(drain: &Drain, health: [Health; 2], store: &Arc<dyn Store>) {
    let store_ends = Instant::now() + DRAIN_STORE;
    for listener in health {
        listener.leave().await;
    }
    if !drain.run().await {
        tracing::warn!("drain.calls_cut");
    }
    if timeout_at(store_ends, store.close()).await.is_err() {
        tracing::warn!("drain.store_left_open");
    }
    tracing::info!("drain.done");
}
