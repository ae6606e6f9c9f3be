//! Measurements of streams.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::sleep;

use crate::load::closed_loop::{ClosedLoop, Done};
use crate::load::deliveries::Deliveries;
use crate::load::subscribers::{Received, STREAMS_PER_CONNECTION, Subscribers};
use crate::measure::memory;
use crate::measure::meter::Meter;
use crate::measure::sample::{Sample, float};
use crate::measure::window;
use crate::scenario::{CallKind, WATCHERS};
use crate::site::MeasuredService;

/// Recipients of the measured deliveries.
const RECIPIENTS: u64 = 100;
/// Streams of a new server that do not count: they fill its pools and caches.
pub const FIRST_STREAMS: u64 = STREAMS_PER_CONNECTION;
/// Pause before the memory of a server is read.
const SETTLE: Duration = Duration::from_secs(1);

/// Calls, while many users follow their mailboxes.
///
/// # Errors
/// If there is no load, or the users receive nothing.
pub async fn watched(
    site: &mut MeasuredService,
    work: CallKind,
    in_flight: usize,
    secs: u64,
) -> anyhow::Result<Sample> {
    let address = site.server()?.user;
    let subscribers = Subscribers::open(&site.caller, address, 0..WATCHERS).await?;
    let load = ClosedLoop::start(&site.caller, work, in_flight);
    let (before, after) = window(&mut site.meter, std::process::id(), secs).await?;
    let mut sample = Sample::between(&before, &after, load.stop().await?);
    let within = |one: &&Received| (before.at_us..after.at_us).contains(&one.at_us);
    let received = subscribers.stop()?.iter().filter(within).count() as u64;
    ensure!(received > 0, "nothing came to those who follow");
    sample.received = Some(float(received) / float(sample.operations as u64).max(1.0));
    Ok(sample)
}

/// From the sender's reply to the recipient's frame, on the sender's server.
///
/// # Errors
/// If a stream ends.
pub async fn deliveries(site: &mut MeasuredService, secs: u64) -> anyhow::Result<Sample> {
    let address = site.server()?.user;
    let subscribers = Subscribers::open(&site.caller, address, 0..RECIPIENTS).await?;
    let load = Deliveries::start(&site.caller, subscribers, RECIPIENTS);
    let (before, after) = window(&mut site.meter, std::process::id(), secs).await?;
    Ok(Sample::between(&before, &after, load.stop().await?))
}

/// Measures deliveries to recipients on a second server, started for this.
///
/// # Errors
/// If it cannot be started, or a stream ends.
pub async fn deliveries_elsewhere(site: &mut MeasuredService, secs: u64) -> anyhow::Result<Sample> {
    let other = site.server()?.another().await?;
    let subscribers = Subscribers::open(&site.caller, other.user, 0..RECIPIENTS).await?;
    let load = Deliveries::start(&site.caller, subscribers, RECIPIENTS);
    site.meter.servers.push(other.process());
    let read = window(&mut site.meter, std::process::id(), secs).await;
    site.meter.servers.pop();
    let (before, after) = read?;
    Ok(Sample::between(&before, &after, load.stop().await?))
}

/// Opens streams and leaves them idle, on a new server.
///
/// # Errors
/// If it cannot be started, or a stream ends.
pub async fn idle(site: &MeasuredService, count: u64) -> anyhow::Result<Sample> {
    let server = site.server()?.another().await?;
    let mut meter = Meter {
        servers: vec![server.process()],
        database: None,
    };
    let open = |numbers| Subscribers::open(&site.caller, server.user, numbers);
    let first = open(0..FIRST_STREAMS).await?;
    sleep(SETTLE).await;
    let empty_bytes = memory::of_process(server.process())?;
    let before = meter.read(std::process::id()).await?;
    let mut subscribers = open(FIRST_STREAMS..FIRST_STREAMS + count).await?;
    let after = meter.read(std::process::id()).await?;
    sleep(SETTLE).await;
    let full_bytes = memory::of_process(server.process())?;
    let operations = std::mem::take(&mut subscribers.opened);
    first.stop()?;
    subscribers.stop()?;
    let done = Done {
        operations,
        ..Done::default()
    };
    let mut sample = Sample::between(&before, &after, done);
    sample.memory_bytes = Some(float(full_bytes.saturating_sub(empty_bytes)) / float(count));
    Ok(sample)
}
