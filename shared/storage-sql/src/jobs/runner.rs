//! The runner of background jobs of one kind, on one replica.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{Millis, Now};
use storage::{Clock, Error};
use telemetry::JobMetrics;
use tokio::sync::{Notify, RwLock};
use tokio::time::timeout;

use super::backoff::Backoff;
use super::lease;
use crate::table::app::AppKey;

#[cfg(test)]
mod tests;

/// Maximum number of due jobs that one pass looks at.
const DUE_MAX: i64 = 10_000;

/// A kind of background job.
///
/// The replicas share the jobs through the database. A job is a row that stores the time of its
/// last step; a step is one transaction that does a bounded amount of work. Steps run beside the
/// lanes, so none may hold locks for long.
pub trait JobKind: Send + Sync {
    /// Id of a job, unique within the kind.
    type Id: Copy + Eq + Hash + Display + Send + Sync;

    /// Name of the kind in logs and metrics.
    const NAME: &'static str;

    /// Lists due jobs of all apps, those first that have waited longest, `jobs_max` at most.
    ///
    /// # Errors
    /// Any error ends the pass, and is returned by it.
    fn due(
        &self,
        jobs_max: i64,
    ) -> impl Future<Output = Result<Vec<DueJob<Self::Id>>, Error>> + Send;

    /// Runs the next step of a job in a transaction of its own. The step must
    ///
    /// - check under the lock of the job that it is still the next one, because other replicas
    ///   may run the job at the same time;
    /// - store the time of the step with the job, different from that of its last step;
    /// - be safe to repeat after any error, also after [`Error::Unknown`].
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Corrupt`] and [`Error::Internal`] count as failures of the
    /// job, and double its backoff. After any other error it is repeated after a second.
    fn step(
        &self,
        job: &DueJob<Self::Id>,
        now: Now,
    ) -> impl Future<Output = Result<StepOutcome, Error>> + Send;

    /// Releases what the steps hold between them: no others follow. Default: nothing.
    fn stop(&self) {}
}

/// A job with something to do.
#[derive(Debug, Clone)]
pub struct DueJob<Id> {
    /// App of the job.
    pub app: AppKey,
    /// Id of the job.
    pub id: Id,
    /// Time of its last step, or another time that no step has if there was none.
    pub last_step_ms: Millis,
}

/// Result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// The step was run; the job has stored this as the time of its last step.
    Run(Millis),
    /// There was nothing to do: another replica runs the job, or has completed it.
    Superseded,
}

/// The runner of one kind of job.
///
/// A pass runs at most one step of each app, of the job that has waited longest and is
/// available: not leased by another replica, and not backing off. Backoff is kept in memory, by
/// replica.
pub struct JobRunner<K: JobKind> {
    kind: K,
    records: Mutex<HashMap<K::Id, JobRecord>>,
    wake_up: Notify,
    /// True once the runner is drained. Held for reading by each step.
    drained: RwLock<bool>,
    metrics: JobMetrics,
}

/// State of a job on this replica.
#[derive(Debug, Clone, Copy, Default)]
struct JobRecord {
    /// Time of the last step that this replica ran.
    step_ms: Option<Millis>,
    backoff: Backoff,
}

impl<K: JobKind> JobRunner<K> {
    /// Creates a runner.
    pub fn new(kind: K) -> Self {
        Self {
            kind,
            records: Mutex::default(),
            wake_up: Notify::new(),
            drained: RwLock::new(false),
            metrics: JobMetrics::new(K::NAME),
        }
    }

    /// Runs one pass. Returns whether any step was run; false once the runner is drained.
    ///
    /// # Errors
    /// The due jobs could not be listed, or the time is not known. The failure of a step is logged and starts the backoff
    /// of its job; the other jobs go on.
    pub async fn run(&self, clock: &dyn Clock) -> Result<bool, Error> {
        let due = self.kind.due(DUE_MAX).await?;
        self.forget_all_but(&due);
        self.record_due(&due, clock.now()?.ms);
        let mut apps = HashSet::new();
        let mut has_run = false;
        for job in due {
            let now = clock.now()?;
            if !self.is_available(&job, now.ms, Instant::now()) || !apps.insert(job.app.app_no) {
                continue;
            }
            let drained = self.drained.read().await;
            if *drained {
                break;
            }
            has_run |= self.step(&job, now).await;
        }
        Ok(has_run)
    }

    /// Waits until a job may have become due, or for `interval` at most.
    pub async fn wait(&self, interval: Duration) {
        // A time-out is the usual case.
        let _ = timeout(interval, self.wake_up.notified()).await;
    }

    /// Ends the current or the next [`Self::wait`]: a job has become due.
    pub fn wake(&self) {
        self.wake_up.notify_one();
    }

    /// Waits for running steps, and starts no others.
    pub async fn drain(&self) {
        *self.drained.write().await = true;
        self.kind.stop();
    }

    /// Runs a step. Returns whether it was run.
    async fn step(&self, job: &DueJob<K::Id>, now: Now) -> bool {
        let running = self.metrics.step();
        let step = self.kind.step(job, now).await;
        drop(running);
        let mut records = self.records();
        match &step {
            Ok(StepOutcome::Run(step_ms)) => {
                let record = JobRecord {
                    step_ms: Some(*step_ms),
                    backoff: Backoff::default(),
                };
                records.insert(job.id, record);
            }
            Ok(StepOutcome::Superseded) => {
                records.remove(&job.id);
            }
            Err(error) => {
                self.metrics.failed();
                let record = records.entry(job.id).or_default();
                record.backoff.start(Instant::now(), is_fault_of_job(error));
                tracing::warn!(
                    job.kind = K::NAME,
                    job.id = %job.id,
                    error.source = error.chain(),
                    "job.step_failed"
                );
            }
        }
        matches!(step, Ok(StepOutcome::Run(_)))
    }

    fn is_available(&self, job: &DueJob<K::Id>, now: Millis, instant: Instant) -> bool {
        let record = self.records().get(&job.id).copied().unwrap_or_default();
        !record.backoff.is_waiting(instant)
            && lease::is_available(job.last_step_ms, record.step_ms, now)
    }

    /// Drops the records of jobs that are not due any more.
    fn forget_all_but(&self, due: &[DueJob<K::Id>]) {
        let mut records = self.records();
        if !records.is_empty() {
            let ids: HashSet<K::Id> = due.iter().map(|job| job.id).collect();
            records.retain(|id, _| ids.contains(id));
        }
    }

    fn record_due(&self, due: &[DueJob<K::Id>], now: Millis) {
        let oldest_age = due.first().map(|job| {
            let age_ms = now.0.saturating_sub(job.last_step_ms.0).max(0);
            Duration::from_millis(age_ms.unsigned_abs())
        });
        self.metrics.due(due.len(), oldest_age);
    }

    fn records(&self) -> MutexGuard<'_, HashMap<K::Id, JobRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a failed step is a fault of the job, rather than of the database.
const fn is_fault_of_job(error: &Error) -> bool {
    match error {
        Error::Refused(_) | Error::Corrupt { .. } | Error::Internal(_) => true,
        Error::Overloaded
        | Error::Busy(_)
        | Error::Deadline
        | Error::Unavailable(_)
        | Error::Unknown(_) => false,
    }
}
