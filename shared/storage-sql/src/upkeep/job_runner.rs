//! Jobs go on: each step is one transaction, which any store may take.
//!
//! Whose step it is, is decided under the lock of the job; two stores that try the same do it
//! once. To spare them that, a store leaves a job alone whose last step was another's and a
//! moment ago, by its own clock. So a job goes on a moment after its store has died.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::operation::DeliverChunk;
use domain::segment::{self, JobId, SendJob};
use domain::{Action, Millis, Operation, Outcome};
use storage::{Clock, Error};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::error::corrupt;
use crate::db::pool::Pool;
use crate::db::retry;
use crate::db::statement::Statement;
use crate::segment::chunks::Run;
use crate::table::app::AppKey;
use crate::table::send_job::job_columns;
use crate::write::executor::Executor;
use crate::write::operation::BatchedOperation;

/// Jobs that are looked at: those that waited longest.
const JOBS: i64 = 10_000;
/// How long a step is tried again if others are in the way.
const TRIED_FOR: Duration = Duration::from_secs(10);
/// How long a job rests after a step that failed; twice as long after each further one.
const REST_MIN: Duration = Duration::from_secs(1);
/// How long it rests at the most.
const REST_MAX: Duration = Duration::from_mins(5);

pub static DUE: Statement = Statement::new(
    "send_job.due",
    1,
    "SELECT j.app_no, a.app_id, j.job_id, j.step_ms FROM send_job j
     CROSS JOIN app a WHERE j.is_due = 1 AND a.app_no = j.app_no
     ORDER BY j.step_ms, j.job_id LIMIT $1",
);

pub static JOB: Statement = Statement::new(
    "send_job.read",
    2,
    concat!(
        "SELECT ",
        job_columns!(),
        " FROM send_job j WHERE j.app_no = $1 AND j.job_id = $2"
    ),
);

/// A job that has something to do.
struct Due {
    app: AppKey,
    job_id: JobId,
    step_ms: Millis,
}

/// What this store knows of the jobs that it takes steps of.
#[derive(Default)]
pub struct JobRunner(Mutex<HashMap<JobId, Record>>);

/// What this store knows of one of them.
#[derive(Clone, Copy, Default)]
struct Record {
    /// When it took its last step, by the clock of the store.
    step_ms: Millis,
    /// How often in a row a step has failed since.
    failures: u32,
    /// No step before that.
    rests_until: Option<Instant>,
}

impl JobRunner {
    /// Takes the next step of a job of each app. Whether one was taken.
    ///
    /// # Errors
    /// Nothing could be looked up. A step that fails is logged, and taken again later: the
    /// other jobs go on.
    pub async fn advance<DB: Backend>(
        &self,
        read: &Pool<DB>,
        executor: &Executor<DB>,
        clock: &dyn Clock,
    ) -> Result<bool, Error> {
        let due = due(read).await?;
        self.forget_all_but(&due);
        let mut apps = HashSet::new();
        let mut advanced = false;
        for due in due {
            let now = clock.now_ms();
            if self.is_ours(&due, now) && apps.insert(due.app.app_no) {
                let (job_id, taken) = (due.job_id, step(read, executor, now, due).await);
                if let Err(error) = &taken {
                    tracing::warn!(job.id = %job_id, error.source = %error, "job.step_failed");
                }
                advanced |= matches!(taken, Ok(Some(_)));
                self.note(job_id, &taken);
            }
        }
        Ok(advanced)
    }

    /// Whether a step of a job is ours to take.
    fn is_ours(&self, job: &Due, now: Millis) -> bool {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = records.get(&job.job_id);
        let rests = record.and_then(|record| record.rests_until);
        if rests.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let was_ours = record.is_some_and(|record| record.step_ms == job.step_ms);
        was_ours || segment::is_left(job.step_ms, now)
    }

    /// Notes what became of a step: when it was taken, if it was ours.
    fn note(&self, job_id: JobId, taken: &Result<Option<Millis>, Error>) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken {
            Ok(Some(step_ms)) => {
                let record = Record {
                    step_ms: *step_ms,
                    ..Record::default()
                };
                records.insert(job_id, record);
            }
            // Another store is at it.
            Ok(None) => {
                records.remove(&job_id);
            }
            Err(error) => {
                let record = records.entry(job_id).or_default();
                let rest = REST_MIN * 2_u32.saturating_pow(record.failures.min(16));
                record.rests_until = Some(Instant::now() + rest.min(REST_MAX));
                if is_the_jobs_own(error) {
                    record.failures += 1;
                }
            }
        }
    }

    fn forget_all_but(&self, due: &[Due]) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !records.is_empty() {
            let ids: HashSet<JobId> = due.iter().map(|due| due.job_id).collect();
            records.retain(|job_id, _| ids.contains(job_id));
        }
    }
}

/// Whether a failure says something of the job, and not of the database.
const fn is_the_jobs_own(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused(_) | Error::Corrupt { .. } | Error::Internal(_)
    )
}

/// The jobs that have something to do, those first that waited longest.
async fn due<DB: Backend>(pool: &Pool<DB>) -> Result<Vec<Due>, Error> {
    let mut connection = Connection::of(pool).await?;
    let mut due = Vec::new();
    for mut row in connection
        .fetch(BoundStatement::of(&DUE).bind(JOBS))
        .await?
    {
        due.push(Due {
            app: AppKey {
                app_no: row.int()?,
                app_id: row.app_id()?,
            },
            job_id: JobId::new(row.uuid()?),
            step_ms: row.millis()?,
        });
    }
    Ok(due)
}

/// A job as it is now.
async fn job<DB: Backend>(pool: &Pool<DB>, due: &Due) -> Result<Option<SendJob>, Error> {
    let call = BoundStatement::of(&JOB)
        .bind(due.app.app_no)
        .bind(due.job_id.uuid());
    let row = Connection::of(pool).await?.fetch_one(call).await?;
    row.map(|mut row| row.job()).transpose()
}

/// Takes a step, unless somebody else has taken it; when that was.
async fn step<DB: Backend>(
    read: &Pool<DB>,
    executor: &Executor<DB>,
    now: Millis,
    due: Due,
) -> Result<Option<Millis>, Error> {
    let Some(job) = job(read, &due).await? else {
        return Ok(None);
    };
    let Some((message_id, next)) = job.message_id.zip(job.next_step()) else {
        return Ok(None);
    };
    let run = Run {
        app_no: due.app.app_no,
        job_id: job.job_id,
        number: job.run_no,
    };
    let to = match run.chunk(read, next.chunk_no).await? {
        // Its chunks may be gone already.
        None if job.expire_ms <= now => Vec::new(),
        to => to.ok_or_else(|| corrupt("send_chunk", "chunk_no", &job.job_id))?,
    };
    let advance = Action::DeliverChunk(DeliverChunk {
        job_id: job.job_id,
        message_id,
        step: next,
        to,
    });
    let jobs = [BatchedOperation {
        app: due.app,
        operation: Operation::from(advance),
    }];
    let deadline = Instant::now() + TRIED_FOR;
    let verdicts = retry::busy(deadline, || executor.run(now, &jobs)).await?;
    match verdicts.into_iter().next() {
        Some(Ok(Outcome::Changed(1))) => Ok(Some(job.step_time(now))),
        Some(Err(refusal)) => Err(Error::Refused(refusal)),
        _ => Ok(None),
    }
}
