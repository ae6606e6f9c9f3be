//! Counts of the usage of apps: jobs that count once what an app keeps, when a quota asks for it.
//!
//! Batches count their changes already. Once those that did not have ended, a snapshot has all that is
//! kept and the sum of the changes so far: their difference is what the sum lacks, now and later.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::limits::USAGE_DELAY_MS;
use domain::{Millis, Now};
use storage::{Clock, Error};

use super::due;
use super::runner::{DueJob, JobKind, StepOutcome};
use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Transaction, wrap};
use crate::db::pool::Pool;
use crate::db::statement::Statement;
use crate::upkeep::kept_recount::{UsageCount, adding};

/// Number of statements of one step.
const STATEMENTS: usize = 20;

pub static DUE: Statement = Statement::new(
    "app.due_usage",
    2,
    "SELECT a.app_no, a.app_id, a.usage_ms FROM app a
     WHERE a.usage_ms <= $1 AND a.usage_state = 1 ORDER BY a.usage_ms LIMIT $2",
);

/// Notes that the usage is known, unless it was counted, or began to be counted anew.
pub static COMPLETE: Statement = Statement::new(
    "app.complete_usage",
    2,
    "UPDATE app SET usage_state = 2 WHERE app_no = $1 AND usage_ms = $2 AND usage_state = 1",
);

/// The kind of job that counts the usage of an app. The first step begins a snapshot, which the next
/// ones go on with: one app at a time on a replica.
pub struct UsageCounts<DB: Backend> {
    read: Pool<DB>,
    write: Pool<DB>,
    clock: Arc<dyn Clock>,
    running: Mutex<Option<RunningCount<DB>>>,
}

struct RunningCount<DB: Backend> {
    app_no: i64,
    begin: Millis,
    count: UsageCount<DB>,
}

impl<DB: Backend> UsageCounts<DB> {
    /// Creates the kind.
    pub fn new(pools: &Pools<DB>, clock: Arc<dyn Clock>) -> Self {
        Self {
            read: pools.read.clone(),
            write: pools.write.clone(),
            clock,
            running: Mutex::default(),
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<RunningCount<DB>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what the sum lacks, if no other replica has.
    async fn complete(&self, running: RunningCount<DB>) -> Result<StepOutcome, Error> {
        let RunningCount {
            app_no,
            begin,
            count,
        } = running;
        let lacking = count.end().await?;
        let mut transaction = Transaction::begin(&self.write).await?;
        let connection = transaction.connection();
        let complete = BoundStatement::of(&COMPLETE).bind(app_no).bind(begin.0);
        if connection.execute(complete).await? == 0 {
            transaction.rollback().await?;
            return Ok(StepOutcome::Superseded);
        }
        connection.execute(adding(app_no, lacking)).await?;
        transaction.commit().await.map_err(wrap::<DB>)?;
        Ok(StepOutcome::Run(begin))
    }
}

impl<DB: Backend> JobKind for UsageCounts<DB> {
    /// Number of the app.
    type Id = i64;

    const NAME: &'static str = "usage";

    async fn due(&self, jobs_max: i64) -> Result<Vec<DueJob<i64>>, Error> {
        let until = self.clock.now()?.ms.after(-USAGE_DELAY_MS);
        let due = BoundStatement::of(&DUE).bind(until.0).bind(jobs_max);
        let due = due::list(&self.read, due, |app_no, _| Ok(app_no)).await?;
        let is_due = |it: &RunningCount<DB>| due.iter().any(|due| due.id == it.app_no);
        self.running().take_if(|running| !is_due(running));
        Ok(due)
    }

    async fn step(&self, due: &DueJob<i64>, _: Now) -> Result<StepOutcome, Error> {
        let begin = due.last_step_ms;
        let running = self.running().take();
        let mut running = match running {
            Some(running) if running.app_no != due.id => {
                *self.running() = Some(running);
                return Ok(StepOutcome::Superseded);
            }
            Some(running) if running.begin == begin => running,
            _ => RunningCount {
                app_no: due.id,
                begin,
                count: UsageCount::begin(&self.read, due.id).await?,
            },
        };
        for _ in 0..STATEMENTS {
            if running.count.step().await? {
                return self.complete(running).await;
            }
        }
        *self.running() = Some(running);
        Ok(StepOutcome::Run(begin))
    }

    fn stop(&self) {
        self.running().take();
    }
}
