//! A measurement: load, a warm-up, and readings before and after.

pub mod cpu;
pub mod following;
pub mod memory;
pub mod meter;
pub mod round;
pub mod sample;

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::sleep;

use crate::cli::RunPlan;
use crate::load::closed_loop::{ClosedLoop, Done, page_through};
use crate::measure::meter::{Meter, Reading};
use crate::measure::sample::{Sample, float};
use crate::scenario::{CallKind, Scenario, Workload};
use crate::site::MeasuredService;

/// Before it counts.
const WARM_UP_SECS: u64 = 1;

/// Measures a scenario on a target.
///
/// # Errors
/// If there is no load. That calls fail is in the sample.
pub async fn measure(
    site: &mut MeasuredService,
    scenario: Scenario,
    plan: &RunPlan,
) -> anyhow::Result<Sample> {
    let secs = plan.secs;
    match scenario.job() {
        Workload::Pgbench(script, clients) => {
            let baseline = site
                .baseline
                .as_ref()
                .context("no pgbench for this target")?;
            let pgbench = baseline.start(script, clients, WARM_UP_SECS + secs + 1)?;
            let (before, after) = window(&mut site.meter, pgbench.process()?, secs).await?;
            let operations = pgbench.finish().await?;
            let done = Done {
                operations,
                ..Done::default()
            };
            Ok(Sample::between(&before, &after, done))
        }
        Workload::Calls(work, in_flight) => calls(site, work, in_flight, secs).await,
        Workload::FirstPages(in_flight) => {
            let before = site.meter.read(std::process::id()).await?;
            let done = page_through(&site.caller, in_flight).await;
            let after = site.meter.read(std::process::id()).await?;
            Ok(Sample::between(&before, &after, done))
        }
        Workload::CallsBeside(work, in_flight) => {
            let beside = ClosedLoop::start(&site.caller, CallKind::Announce, 1);
            let mut sample = calls(site, work, in_flight, secs).await?;
            let announced = beside.stop().await?;
            sample.errors += announced.errors;
            sample.first_error = sample.first_error.or(announced.first_error);
            Ok(sample)
        }
        Workload::CallsWatched(work, in_flight) => {
            following::watched(site, work, in_flight, secs).await
        }
        Workload::Deliveries => following::deliveries(site, secs).await,
        Workload::DeliveriesElsewhere => following::deliveries_elsewhere(site, secs).await,
        Workload::Idle => following::idle(site, plan.subscribers).await,
    }
}

async fn calls(
    site: &mut MeasuredService,
    work: CallKind,
    in_flight: usize,
    secs: u64,
) -> anyhow::Result<Sample> {
    let load = ClosedLoop::start(&site.caller, work, in_flight);
    let (before, after) = window(&mut site.meter, std::process::id(), secs).await?;
    let mut sample = Sample::between(&before, &after, load.stop().await?);
    if work == CallKind::SendWithRequestId {
        let bytes = site.meter.wal_of_requests(&before, &after).await?;
        let count = float(sample.operations as u64).max(1.0);
        sample.request_wal_bytes = bytes.map(|bytes| float(bytes.unsigned_abs()) / count);
    }
    Ok(sample)
}

async fn window(meter: &mut Meter, client: u32, secs: u64) -> anyhow::Result<(Reading, Reading)> {
    sleep(Duration::from_secs(WARM_UP_SECS)).await;
    let before = meter.read(client).await?;
    sleep(Duration::from_secs(secs)).await;
    Ok((before, meter.read(client).await?))
}
