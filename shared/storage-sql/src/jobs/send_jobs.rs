//! Send jobs: deliver a message to a segment, chunk by chunk, and changes of it after that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::operation::DeliverChunk;
use domain::segment::{JobId, SendJob};
use domain::{Action, Millis, Now, Operation, Outcome, ProfileId};
use storage::{CostAccount, Error};

use super::due;
use super::runner::{DueJob, JobKind, StepOutcome};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::error::corrupt;
use crate::db::pool::Pool;
use crate::db::statement::Statement;
use crate::segment::chunks::Run;
use crate::table::send_job::job_columns;
use crate::write::executor::Executor;
use crate::write::operation::BatchedOperation;

/// Timeout of the retries of a step that meets contention.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

pub static DUE: Statement = Statement::new(
    "send_job.due",
    1,
    "SELECT j.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = j.app_no), j.job_id, j.step_ms
     FROM send_job j WHERE j.is_due = 1
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

/// The kind of job that delivers to segments. A step is one chunk, by the same executor that
/// runs the batches of the lanes.
pub struct SendJobs<DB: Backend> {
    pub read: Pool<DB>,
    pub executor: Arc<Executor<DB>>,
}

impl<DB: Backend> JobKind for SendJobs<DB> {
    type Id = JobId;

    const NAME: &'static str = "send";

    async fn due(&self, jobs_max: i64) -> Result<Vec<DueJob<JobId>>, Error> {
        let call = BoundStatement::of(&DUE).bind(jobs_max);
        due::list(&self.read, call, |_, row| Ok(JobId::new(row.uuid()?))).await
    }

    async fn step(&self, due: &DueJob<JobId>, now: Now) -> Result<StepOutcome, Error> {
        let Some(job) = self.job(due).await? else {
            return Ok(StepOutcome::Superseded);
        };
        let Some((message_id, step)) = job.message_id.zip(job.next_step()) else {
            return Ok(StepOutcome::Superseded);
        };
        let to = self
            .recipients(due, &job, step.chunk_no, now.due_ms)
            .await?;
        let batch = vec![BatchedOperation {
            app: due.app.clone(),
            operation: Operation::from(Action::DeliverChunk(DeliverChunk {
                job_id: job.job_id,
                message_id,
                step,
                to,
            })),
            account: CostAccount::default(),
            audit: None,
        }];
        let deadline = Instant::now() + STEP_TIMEOUT;
        let verdicts = self.executor.run_to_end(now, batch, deadline).await?;
        match verdicts.into_iter().next() {
            Some(Ok(Outcome::Changed(1))) => Ok(StepOutcome::Run(job.step_time(now.ms))),
            Some(Err(refusal)) => Err(Error::Refused(refusal)),
            _ => Ok(StepOutcome::Superseded),
        }
    }
}

impl<DB: Backend> SendJobs<DB> {
    /// Reads the current state of a job. None if it has been deleted.
    async fn job(&self, due: &DueJob<JobId>) -> Result<Option<SendJob>, Error> {
        let call = BoundStatement::of(&JOB)
            .bind(due.app.app_no)
            .bind(due.id.uuid());
        let row = Connection::of(&self.read).await?.fetch_one(call).await?;
        row.map(|mut row| row.job()).transpose()
    }

    /// Reads the recipients of a chunk. None of them if the job has expired and its chunks may
    /// have been deleted.
    async fn recipients(
        &self,
        due: &DueJob<JobId>,
        job: &SendJob,
        chunk_no: i64,
        due_ms: Millis,
    ) -> Result<Vec<ProfileId>, Error> {
        let run = Run {
            app_no: due.app.app_no,
            job_id: job.job_id,
            number: job.run_no,
        };
        match run.chunk(&self.read, chunk_no).await? {
            Some(recipients) => Ok(recipients),
            None if job.expire_ms <= due_ms => Ok(Vec::new()),
            None => Err(corrupt("send_chunk", "chunk_no", &job.job_id)),
        }
    }
}
