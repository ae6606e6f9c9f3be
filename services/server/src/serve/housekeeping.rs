//! Periodic background work: trimming, sweeping and jobs.

use std::sync::Arc;
use std::time::Duration;

use storage::{Error, Store};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use crate::limits::{
    JOB_FAILURE_PAUSE, JOB_INTERVAL, JOB_STEP_PAUSE, SWEEP_INTERVAL, SWEEP_PAUSE, TRIM_INTERVAL,
};

/// Background tasks.
pub struct Housekeeping {
    tasks: JoinSet<()>,
    ending: CancellationToken,
}

impl Housekeeping {
    /// Starts the background tasks.
    pub fn start(store: &Arc<dyn Store>) -> Self {
        let ending = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let task = || HousekeepingTask {
            store: Arc::clone(store),
            ending: ending.clone(),
        };
        tasks.spawn(task().expire_periodically());
        tasks.spawn(task().run_jobs_periodically());
        tasks.spawn(task().trim_periodically());
        Self { tasks, ending }
    }

    /// Ends the background tasks, each after the step that it is in.
    pub async fn end(mut self) {
        self.ending.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Background task, with what it works on and the signal of its end.
struct HousekeepingTask {
    store: Arc<dyn Store>,
    ending: CancellationToken,
}

impl HousekeepingTask {
    /// Trims old tombstones periodically. Several replicas may do so at once.
    async fn trim_periodically(self) {
        let mut ticks = ticks(TRIM_INTERVAL);
        while self.goes_on(ticks.tick()).await {
            if let Err(error) = self.trim().await {
                tracing::warn!(error.source = error.chain(), "feed.trim_failed");
            }
        }
    }

    /// Sweeps periodically, unless another replica does.
    async fn expire_periodically(self) {
        let mut ticks = ticks(SWEEP_INTERVAL);
        while self.goes_on(ticks.tick()).await {
            if let Err(error) = self.expire_due().await {
                tracing::warn!(error.source = error.chain(), "sweep.failed");
            }
        }
    }

    /// Runs the steps of jobs periodically, beside all other replicas.
    async fn run_jobs_periodically(self) {
        while self.goes_on(self.store.wait_for_jobs(JOB_INTERVAL)).await {
            if let Err(error) = self.run_jobs().await {
                tracing::warn!(error.source = error.chain(), "jobs.failed");
                self.goes_on(sleep(JOB_FAILURE_PAUSE)).await;
            }
        }
    }

    /// Runs due steps, with a pause after each so that calls take precedence.
    async fn run_jobs(&self) -> Result<(), Error> {
        while self.store.run_jobs().await? && self.goes_on(sleep(JOB_STEP_PAUSE)).await {}
        Ok(())
    }

    /// Sweeps in small parts, with a pause after each so that calls take precedence.
    async fn expire_due(&self) -> Result<(), Error> {
        while self.store.expire_due().await? && self.goes_on(sleep(SWEEP_PAUSE)).await {}
        Ok(())
    }

    async fn trim(&self) -> Result<(), Error> {
        let mut next = self.store.trim_tombstones(None).await?;
        while next.is_some() && !self.ending.is_cancelled() {
            next = self.store.trim_tombstones(next).await?;
        }
        Ok(())
    }

    /// Waits. False at once when the task is to end.
    async fn goes_on<T>(&self, wait: impl Future<Output = T>) -> bool {
        self.ending.run_until_cancelled(wait).await.is_some()
    }
}

fn ticks(interval: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
