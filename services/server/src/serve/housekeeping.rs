//! What is to be done from time to time, whoever calls.

use std::sync::Arc;

use storage::{Error, Maintenance};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::limits::{JOBS_EVERY, JOBS_PAUSE, JOBS_REST, SWEEP_EVERY, SWEEP_REST, TRIM_EVERY};

/// Starts all of it.
pub fn start(store: Arc<dyn Maintenance>) {
    tokio::spawn(sweep_all(Arc::clone(&store)));
    tokio::spawn(advance_all(Arc::clone(&store)));
    tokio::spawn(trim_all(store));
}

/// Forgets old deletions from time to time. Several replicas may do so at once.
async fn trim_all(store: Arc<dyn Maintenance>) {
    let mut ticks = interval_at(Instant::now() + TRIM_EVERY, TRIM_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = trim(&*store).await {
            tracing::warn!(error.source = %error, "feed.trim_failed");
        }
    }
}

/// Sweeps from time to time, if no other replica does.
async fn sweep_all(store: Arc<dyn Maintenance>) {
    let mut ticks = interval_at(Instant::now() + SWEEP_EVERY, SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = sweep(&*store).await {
            tracing::warn!(error.source = %error, "sweep.failed");
        }
    }
}

/// Takes the steps of jobs, together with all other replicas.
async fn advance_all(store: Arc<dyn Maintenance>) {
    let mut ticks = interval_at(Instant::now(), JOBS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = advance(&*store).await {
            tracing::warn!(error.source = %error, "jobs.failed");
            sleep(JOBS_PAUSE).await;
        }
    }
}

/// One step after the other, with a rest after each: whoever calls comes first.
async fn advance(store: &dyn Maintenance) -> Result<(), Error> {
    while store.run_jobs().await? {
        sleep(JOBS_REST).await;
    }
    Ok(())
}

/// In small parts, with a rest after each: whoever calls comes first.
async fn sweep(store: &dyn Maintenance) -> Result<(), Error> {
    while store.expire_due().await? {
        sleep(SWEEP_REST).await;
    }
    Ok(())
}

async fn trim(store: &dyn Maintenance) -> Result<(), Error> {
    let mut next = store.trim_tombstones(None).await?;
    while next.is_some() {
        next = store.trim_tombstones(next).await?;
    }
    Ok(())
}
