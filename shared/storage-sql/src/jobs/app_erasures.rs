//! Erasures of apps: jobs that delete all rows of one, table by table, in small parts.
//!
//! These are the only rows that no operation deletes. Operations keep counters, changes and times of
//! mailboxes right for those who read them; of an erased app nobody does: its calls have been refused
//! for two minutes, and recounts leave it out. Background work may still write rows of it, under the
//! lock of a job or a mailbox, for which the deletion of that row waits. Each step begins with the
//! first table again, so it finds them, and the app itself goes only once all tables are empty.

use std::sync::Arc;

use domain::limits::ERASURE_DELAY_MS;
use domain::{Millis, Now};
use storage::{Clock, Error};

use super::due;
use super::runner::{DueJob, JobKind, StepOutcome};
use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Transaction, wrap};
use crate::db::pool::Pool;
use crate::db::statement::Statement;

/// Maximum number of rows that a step deletes from one table.
const ROWS: i64 = 500;

pub static DUE: Statement = Statement::new(
    "app.due",
    2,
    "SELECT a.app_no, a.app_id, a.erase_step_ms FROM app a WHERE a.erase_ms <= $1
     ORDER BY a.erase_ms LIMIT $2",
);

/// Stores the time of a step, unless the last one was not at `$2`.
pub static ADVANCE: Statement = Statement::new(
    "app.advance_erasure",
    3,
    "UPDATE app SET erase_step_ms = $3
     WHERE app_no = $1 AND erase_step_ms = $2 AND erase_ms IS NOT NULL",
);

pub static DELETE: Statement = Statement::new("app.delete", 1, "DELETE FROM app WHERE app_no = $1");

/// Renders the deletion of `$2` rows of an app from a table with that key.
macro_rules! deletion {
    ($table:literal, $key:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (app_no, ",
            $key,
            ") IN (
                 SELECT app_no, ",
            $key,
            " FROM ",
            $table,
            " WHERE app_no = $1 LIMIT $2
             )"
        )
    };
}

/// Deletions from all tables with rows of apps. Jobs come first: they make rows in others.
pub static DELETIONS: [Statement; 18] = [
    Statement::new("send_job.erase", 2, deletion!("send_job", "job_id")),
    Statement::new(
        "send_chunk.erase",
        2,
        deletion!("send_chunk", "job_id, run_no, chunk_no"),
    ),
    Statement::new("erasure.erase", 2, deletion!("erasure", "profile_key")),
    Statement::new("bulk.erase", 2, deletion!("bulk", "bulk_no")),
    Statement::new(
        "bulk_tally.erase",
        2,
        deletion!("bulk_tally", "message_id, slot"),
    ),
    Statement::new(
        "msgbox.erase",
        2,
        deletion!("msgbox", "mailbox_id, box, message_id"),
    ),
    Statement::new(
        "msgbox_deleted.erase",
        2,
        deletion!("msgbox_deleted", "mailbox_id, seq"),
    ),
    Statement::new(
        "block.erase",
        2,
        deletion!("block", "mailbox_id, profile_id"),
    ),
    Statement::new(
        "participant.erase",
        2,
        deletion!("participant", "mailbox_id, conversation_id"),
    ),
    Statement::new(
        "conversation.erase",
        2,
        deletion!("conversation", "conversation_id"),
    ),
    Statement::new("mailbox.erase", 2, deletion!("mailbox", "mailbox_id")),
    Statement::new("message.erase", 2, deletion!("message", "message_id")),
    Statement::new("request.erase", 2, deletion!("request", "request_key")),
    Statement::new("revocation.erase", 2, deletion!("revocation", "profile_id")),
    Statement::new("audit_id.erase", 2, deletion!("audit_id", "record_id")),
    Statement::new("audit.erase", 2, deletion!("audit", "record_id")),
    Statement::new("app_usage.erase", 2, deletion!("app_usage", "slot")),
    Statement::new("audit_head.erase", 2, deletion!("audit_head", "last_no")),
];

/// The kind of job that erases an app.
pub struct AppErasures<DB: Backend> {
    read: Pool<DB>,
    write: Pool<DB>,
    clock: Arc<dyn Clock>,
}

impl<DB: Backend> AppErasures<DB> {
    /// Creates the kind.
    pub fn new(pools: &Pools<DB>, clock: Arc<dyn Clock>) -> Self {
        Self {
            read: pools.read.clone(),
            write: pools.write.clone(),
            clock,
        }
    }
}

impl<DB: Backend> JobKind for AppErasures<DB> {
    /// Number of the app.
    type Id = i64;

    const NAME: &'static str = "app_erasure";

    async fn due(&self, jobs_max: i64) -> Result<Vec<DueJob<i64>>, Error> {
        // Until then, calls that began before have ended, and replicas refuse others.
        let until = self.clock.now()?.due_ms.after(-ERASURE_DELAY_MS);
        let due = BoundStatement::of(&DUE).bind(until.0).bind(jobs_max);
        due::list(&self.read, due, |app_no, _| Ok(app_no)).await
    }

    async fn step(&self, due: &DueJob<i64>, now: Now) -> Result<StepOutcome, Error> {
        let step = Millis(now.ms.0.max(due.last_step_ms.0 + 1));
        let mut transaction = Transaction::begin(&self.write).await?;
        let connection = transaction.connection();
        let advance = BoundStatement::of(&ADVANCE)
            .bind(due.id)
            .bind(due.last_step_ms.0)
            .bind(step.0);
        if connection.execute(advance).await? == 0 {
            transaction.rollback().await?;
            return Ok(StepOutcome::Superseded);
        }
        let mut deleted = 0;
        for deletion in &DELETIONS {
            let deletion = BoundStatement::of(deletion).bind(due.id).bind(ROWS);
            deleted = connection.execute(deletion).await?;
            if deleted > 0 {
                break;
            }
        }
        if deleted == 0 {
            let delete = BoundStatement::of(&DELETE).bind(due.id);
            connection.execute(delete).await?;
        }
        transaction.commit().await.map_err(wrap::<DB>)?;
        if deleted == 0 {
            tracing::info!(app.id = due.app.app_id.as_str(), "app.erased");
        }
        Ok(StepOutcome::Run(step))
    }
}
