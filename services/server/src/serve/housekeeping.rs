//! Periodic background work: trimming, sweeping and jobs.

use std::sync::Arc;

use storage::{Error, Maintenance};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::limits::{
    JOB_FAILURE_PAUSE, JOB_INTERVAL, JOB_STEP_PAUSE, SWEEP_INTERVAL, SWEEP_PAUSE, TRIM_INTERVAL,
};

/// Starts the background tasks. They end with the set, which must be before the store is closed.
pub fn start(store: Arc<dyn Maintenance>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(expire_periodically(Arc::clone(&store)));
    tasks.spawn(run_jobs_periodically(Arc::clone(&store)));
    tasks.spawn(trim_periodically(store));
    tasks
}

/// Trims old tombstones periodically. Several replicas may do so at once.
async fn trim_periodically(store: Arc<dyn Maintenance>) {
    let mut ticks = interval_at(Instant::now() + TRIM_INTERVAL, TRIM_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = trim(&*store).await {
            tracing::warn!(error.source = error.chain(), "feed.trim_failed");
        }
    }
}

/// Sweeps periodically, unless another replica does.
async fn expire_periodically(store: Arc<dyn Maintenance>) {
    let mut ticks = interval_at(Instant::now() + SWEEP_INTERVAL, SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = expire_due(&*store).await {
            tracing::warn!(error.source = error.chain(), "sweep.failed");
        }
    }
}

/// Runs the steps of jobs periodically, beside all other replicas.
async fn run_jobs_periodically(store: Arc<dyn Maintenance>) {
    loop {
        if let Err(error) = run_jobs(&*store).await {
            tracing::warn!(error.source = error.chain(), "jobs.failed");
            sleep(JOB_FAILURE_PAUSE).await;
        }
        store.wait_for_jobs(JOB_INTERVAL).await;
    }
}

/// Runs due steps, with a pause after each so that calls take precedence.
async fn run_jobs(store: &dyn Maintenance) -> Result<(), Error> {
    while store.run_jobs().await? {
        sleep(JOB_STEP_PAUSE).await;
    }
    Ok(())
}

/// Sweeps in small parts, with a pause after each so that calls take precedence.
async fn expire_due(store: &dyn Maintenance) -> Result<(), Error> {
    while store.expire_due().await? {
        sleep(SWEEP_PAUSE).await;
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
