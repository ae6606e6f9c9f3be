//! Table `send_job`: the progress of a message's delivery to a segment.

use domain::MessageId;
use domain::Millis;
use domain::bulk::MessageChange;
use domain::segment::{JobChange, JobCounts, JobId, JobState, SendJob};

use super::{BatchChanges, rows};
use crate::db::column::{columns, written_columns};
use crate::db::dialect::Kind;
use crate::db::row_statement::{RowStatement, TableWrite};
use crate::db::statement::Statement;

columns! {
    static COLUMNS of "send_job": |job: SendJob| {
        Key job_id: JobId = job.job_id;
        Mutable message_id: Option<MessageId> = job.message_id;
        Mutable state: JobState = job.state;
        Mutable run_no: i64 = job.run_no;
        Mutable next_chunk: i64 = job.next_chunk;
        Mutable accepted: i64 = job.counts.accepted;
        Mutable duplicates: i64 = job.counts.duplicates;
        Mutable delivered: i64 = job.counts.delivered;
        Mutable full_inboxes: i64 = job.counts.full;
        Mutable failed: i64 = job.counts.failed;
        Mutable change_turn: Option<MessageChange> = change(job).map(|change| change.kind);
        Mutable change_chunk: Option<i64> = change(job).map(|change| change.next_chunk);
        Mutable change_chunks: Option<i64> = change(job).map(|change| change.chunks);
        Mutable change_left: Option<i64> = change(job).map(|change| change.left);
        Mutable change_waits: Option<bool> = change(job).map(|change| change.waits);
        Mutable step_ms: Millis = job.step_ms;
        Mutable expire_ms: Millis = job.expire_ms;
    }
    select job_columns from "j";
    fn job() -> SendJob {
        match change_turn {
            None => Ok(None),
            Some(kind) => match (change_chunk, change_chunks, change_left, change_waits) {
                (Some(next_chunk), Some(chunks), Some(left), Some(waits)) => {
                    Ok(Some(JobChange { kind, next_chunk, chunks, left, waits }))
                }
                _ => Err("change_chunk"),
            },
        }
        .map(|change| SendJob {
            job_id,
            message_id,
            state,
            run_no,
            next_chunk,
            counts: JobCounts { accepted, duplicates, delivered, full: full_inboxes, failed },
            change,
            step_ms,
            expire_ms,
        })
    }
}

pub(crate) use job_columns;

const fn change(job: &SendJob) -> Option<&JobChange> {
    job.change.as_ref()
}

written_columns! {
    /// Indexes the jobs that the runner has to look at.
    static IS_DUE: |job: SendJob| {
        Mutable is_due: bool = job.next_step().is_some();
    }
}

pub static LOCK: Statement = Statement::with_rows(
    "send_job.lock",
    0,
    &[("app_no", Kind::Int), ("job_id", Kind::Uuid)],
    concat!(
        "SELECT j.app_no, ",
        job_columns!(),
        " FROM r
         CROSS JOIN send_job j WHERE j.app_no = r.app_no AND j.job_id = r.job_id
         ORDER BY r.ord"
    ),
)
.locking_free("j");

/// Jobs, locked or not.
pub static EXISTING: Statement = Statement::with_rows(
    "send_job.existing",
    0,
    &[("app_no", Kind::Int), ("job_id", Kind::Uuid)],
    "SELECT j.app_no, j.job_id FROM r
     CROSS JOIN send_job j WHERE j.app_no = r.app_no AND j.job_id = r.job_id",
);

/// Locks a job, as soon as another transaction has released it.
pub static WAIT: Statement = Statement::new(
    "send_job.wait",
    2,
    "SELECT j.job_id FROM send_job j WHERE j.app_no = $1 AND j.job_id = $2",
)
.locking("j");

pub static UPDATE: RowStatement<SendJob> =
    RowStatement::update("send_job.update", "send_job", &[COLUMNS, IS_DUE]);

pub fn writes(batch: &BatchChanges) -> Vec<TableWrite> {
    vec![UPDATE.rows(rows(batch, |changes| &changes.jobs))]
}
