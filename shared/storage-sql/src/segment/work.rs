//! Jobs go on: each step is one transaction, which any store may take.
//!
//! Whose step it is, is decided under the lock of the job; two stores that try the same do it
//! once. To spare them that, a store leaves a job alone whose last step was another's and a
//! moment ago, by its own clock. So a job goes on a moment after its store has died.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::operation::Advance;
use domain::segment::{JobId, SendJob, Step};
use domain::{Action, MessageId, Millis, Operation, Outcome};
use storage::{Clock, Error};

use super::chunks::Run;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::error::corrupt;
use crate::executor::{AppKey, Executor, Job};
use crate::fields::job_columns;
use crate::retry;
use crate::rows::Call;
use crate::statement::Statement;
use crate::warm::Warm;

/// Jobs that are looked at together, of all apps.
const JOBS: i64 = 256;
/// Jobs of one app among them: more than one, as some may be another store's, or at rest.
const JOBS_OF_APP: i64 = 8;
/// How long one step may take.
const STEP_WITHIN: Duration = Duration::from_secs(10);
/// How long a job rests after a step that failed; twice as long after each further one.
const REST_MIN: Duration = Duration::from_secs(1);
/// How long it rests at the most.
const REST_MAX: Duration = Duration::from_mins(5);

/// Of each app those that waited longest.
static DUE: Statement = Statement::new(
    2,
    concat!(
        "SELECT j.app_no, a.app_id, ",
        job_columns!(),
        " FROM (
             SELECT d.*, row_number() OVER (
                 PARTITION BY d.app_no ORDER BY d.step_ms, d.job_id
             ) AS place FROM send_job d WHERE d.is_due = 1
         ) j CROSS JOIN app a WHERE j.place <= $2 AND a.app_no = j.app_no
         ORDER BY j.place, j.step_ms, j.job_id LIMIT $1"
    ),
);

/// A job that has something to do.
struct Due {
    app: AppKey,
    job: SendJob,
    message_id: MessageId,
    step: Step,
}

/// What this store knows of the jobs that it takes steps of.
#[derive(Default)]
pub struct Worker(Mutex<HashMap<JobId, Record>>);

/// What this store knows of one of them.
#[derive(Clone, Copy)]
struct Record {
    /// When it took its last step, by the clock of the store.
    step_ms: Millis,
    /// How often in a row a step has failed since.
    failures: u32,
    /// No step before that.
    rests_until: Option<Instant>,
}

impl Worker {
    /// Takes the next step of a job of each app. Whether one was taken.
    ///
    /// # Errors
    /// Nothing could be looked up. A step that fails is logged, and taken again later: the
    /// other jobs go on.
    pub async fn advance<DB: Backend>(
        &self,
        read: &Warm<DB>,
        executor: &Executor<DB>,
        clock: &dyn Clock,
    ) -> Result<bool, Error> {
        let due = due(read).await?;
        self.forget_all_but(&due);
        let mut apps = HashSet::new();
        let mut advanced = false;
        for due in due {
            let now = clock.now_ms();
            if self.is_ours(&due.job, now) && apps.insert(due.app.app_no) {
                let step_ms = due.job.step_time(now);
                let (job_id, result) = (due.job.job_id, step(read, executor, now, due).await);
                if let Err(error) = &result {
                    tracing::warn!(job.id = %job_id, error.source = %error, "job.step_failed");
                }
                advanced |= matches!(result, Ok(true));
                self.note(job_id, step_ms, &result);
            }
        }
        Ok(advanced)
    }

    /// Whether a step of a job is ours to take.
    fn is_ours(&self, job: &SendJob, now: Millis) -> bool {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = records.get(&job.job_id);
        let rests = record.and_then(|record| record.rests_until);
        if rests.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let was_ours = record.is_some_and(|record| record.step_ms == job.step_ms);
        was_ours || job.is_left(now)
    }

    /// Notes what became of a step, which was to be taken at a time.
    fn note(&self, job_id: JobId, step_ms: Millis, result: &Result<bool, Error>) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(true) => {
                let record = Record {
                    step_ms,
                    failures: 0,
                    rests_until: None,
                };
                records.insert(job_id, record);
            }
            // Another store is at it.
            Ok(false) => {
                records.remove(&job_id);
            }
            Err(_) => {
                let record = records.entry(job_id).or_insert(Record {
                    step_ms: Millis(0),
                    failures: 0,
                    rests_until: None,
                });
                let rest = REST_MIN * 2_u32.saturating_pow(record.failures.min(16));
                record.failures += 1;
                record.rests_until = Some(Instant::now() + rest.min(REST_MAX));
            }
        }
    }

    fn forget_all_but(&self, due: &[Due]) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !records.is_empty() {
            let ids: HashSet<JobId> = due.iter().map(|due| due.job.job_id).collect();
            records.retain(|job_id, _| ids.contains(job_id));
        }
    }
}

/// The jobs that have something to do, those first that waited longest.
async fn due<DB: Backend>(pool: &Warm<DB>) -> Result<Vec<Due>, Error> {
    let mut connection = Connection::of(pool).await?;
    let mut due = Vec::new();
    for mut row in connection
        .fetch(Call::of(&DUE).with(JOBS).with(JOBS_OF_APP))
        .await?
    {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        let job = row.job()?;
        if let Some((message_id, step)) = job.message_id.zip(job.next_step()) {
            due.push(Due {
                app,
                job,
                message_id,
                step,
            });
        }
    }
    Ok(due)
}

/// Takes a step, unless somebody else has taken it.
async fn step<DB: Backend>(
    read: &Warm<DB>,
    executor: &Executor<DB>,
    now: Millis,
    due: Due,
) -> Result<bool, Error> {
    let run = Run {
        app_no: due.app.app_no,
        job_id: due.job.job_id,
        number: due.job.run_no,
    };
    let to = match run.chunk(read, due.step.chunk_no).await? {
        // Its chunks may be gone already.
        None if due.job.expire_ms <= now => Vec::new(),
        to => to.ok_or_else(|| corrupt("send_chunk", "chunk_no", &due.job.job_id))?,
    };
    let job = Job {
        app: due.app,
        operation: Operation {
            request: None,
            action: Action::Advance(Advance {
                job_id: due.job.job_id,
                message_id: due.message_id,
                step: due.step,
                to,
            }),
        },
        message_id: due.message_id,
    };
    let deadline = Instant::now() + STEP_WITHIN;
    let jobs = [job];
    let verdicts = retry::busy(deadline, || executor.run(now, &jobs)).await?;
    match verdicts.into_iter().next() {
        Some(Ok(outcome)) => Ok(outcome == Outcome::Changed(1)),
        Some(Err(refusal)) => Err(Error::Refused(refusal)),
        None => Ok(false),
    }
}
