//! Erasures of profiles: jobs that go through all rows which name one, in small parts.
//!
//! A step is safe to repeat, and to run twice at once: what it changes it changes by ordinary
//! operations, and its progress is stored only if no other step has stored any since.

pub mod blocks;
pub mod conversations;
pub mod parties;
pub mod segments;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::limits::{ERASURE_MEMORY_MS, REVOCATION_KEPT_MS};
use domain::operation::{ClearMessages, DeleteMailbox, TrimTombstones};
use domain::{Action, ErasurePhase, Millis, Msgbox, Now, Operation, Outcome, ProfileId};
use storage::{Clock, Contention, CostAccount, Error};
use uuid::Uuid;

use super::due;
use super::runner::{DueJob, JobKind, StepOutcome};
use crate::audit;
use crate::db::backend::{Backend, Pools};
use crate::db::bind::{BoundStatement, Value};
use crate::db::connection::{Connection, transact};
use crate::db::pool::Pool;
use crate::db::retry;
use crate::db::statement::Statement;
use crate::table::app::AppKey;
use crate::table::erasure::{self, ErasureRow};
use crate::write::executor::Executor;
use crate::write::operation::{BatchedOperation, OperationProgress};

/// Timeout of the retries of a step that meets contention.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// Changes of a mailbox whose tombstones one step deletes at the most.
const TRIMMED_CHANGES: i64 = 1_000;

pub static DUE: Statement = Statement::new(
    "erasure.due",
    2,
    "SELECT e.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = e.app_no), e.profile_key,
         e.step_ms
     FROM erasure e WHERE e.next_ms <= $1 ORDER BY e.next_ms LIMIT $2",
);

/// Deletes the revocation of a profile's tokens, unless it is later than `$3`.
pub static DELETE_REVOCATION: Statement = Statement::new(
    "revocation.delete",
    3,
    "DELETE FROM revocation WHERE app_no = $1 AND profile_id = $2 AND before_ms + 0 <= $3",
);

/// Last change and floor of a mailbox.
pub static CHANGES: Statement = Statement::new(
    "mailbox.changes",
    2,
    "SELECT b.seq, b.floor_seq FROM mailbox b WHERE b.app_no + 0 = $1 AND b.profile_id = $2",
);

/// The kind of job that erases a profile.
pub struct Erasures<DB: Backend> {
    read: Pool<DB>,
    write: Pool<DB>,
    clock: Arc<dyn Clock>,
    executor: Arc<Executor<DB>>,
}

/// The next phase of an erasure, and the place in it.
type ErasureProgress = (ErasurePhase, Option<Uuid>);

/// A step of an erasure.
pub struct ErasureStep<'a, DB: Backend> {
    jobs: &'a Erasures<DB>,
    app: &'a AppKey,
    profile: &'a ProfileId,
    /// Time of the request.
    request: Millis,
    now: Now,
}

impl<DB: Backend> Erasures<DB> {
    /// Creates the kind.
    pub fn new(pools: &Pools<DB>, clock: Arc<dyn Clock>, executor: Arc<Executor<DB>>) -> Self {
        Self {
            read: pools.read.clone(),
            write: pools.write.clone(),
            clock,
            executor,
        }
    }

    async fn erasure(&self, due: &DueJob<Uuid>) -> Result<Option<ErasureRow>, Error> {
        let read = BoundStatement::of(&erasure::READ)
            .bind(due.app.app_no)
            .bind(due.id);
        let row = Connection::of(&self.read).await?.fetch_one(read).await?;
        row.map(|mut row| row.erasure()).transpose()
    }

    /// Stores the progress. False if another step has stored any since.
    async fn advance(
        &self,
        due: &DueJob<Uuid>,
        (phase, place): ErasureProgress,
        step: Millis,
        now: Now,
    ) -> Result<bool, Error> {
        let pause_ms = match phase {
            ErasurePhase::Memory => ERASURE_MEMORY_MS,
            ErasurePhase::Done => REVOCATION_KEPT_MS,
            _ => 0,
        };
        let is_done = phase == ErasurePhase::Done;
        let done_ms = if is_done { now.ms.0 } else { 0 };
        let advance = BoundStatement::of(&erasure::ADVANCE)
            .bind(due.app.app_no)
            .bind(due.id)
            .bind(due.last_step_ms.0)
            .bind(phase.code())
            .bind(Value::Uuid(place))
            .bind(step.0)
            .bind(now.due_ms.after(pause_ms).0)
            .bind(done_ms);
        Ok(transact(&self.write, vec![advance]).await? > 0)
    }

    /// Deletes the row of an erasure that was done long ago.
    async fn forget(&self, due: &DueJob<Uuid>) -> Result<(), Error> {
        let delete = BoundStatement::of(&erasure::DELETE)
            .bind(due.app.app_no)
            .bind(due.id)
            .bind(due.last_step_ms.0);
        transact(&self.write, vec![delete]).await.map(|_| ())
    }
}

impl<DB: Backend> JobKind for Erasures<DB> {
    /// Key of the profile.
    type Id = Uuid;

    const NAME: &'static str = "erasure";

    async fn due(&self, jobs_max: i64) -> Result<Vec<DueJob<Uuid>>, Error> {
        let due = BoundStatement::of(&DUE)
            .bind(self.clock.now()?.due_ms.0)
            .bind(jobs_max);
        due::list(&self.read, due, |_, row| row.uuid()).await
    }

    async fn step(&self, due: &DueJob<Uuid>, now: Now) -> Result<StepOutcome, Error> {
        let erasure = self.erasure(due).await?;
        let Some(erasure) = erasure.filter(|it| it.step == due.last_step_ms) else {
            return Ok(StepOutcome::Superseded);
        };
        let progress = match &erasure.profile {
            Some(profile) => {
                let step = ErasureStep {
                    jobs: self,
                    app: &due.app,
                    profile,
                    request: erasure.request,
                    now,
                };
                step.run(erasure.phase, erasure.place).await?
            }
            None if erasure.phase == ErasurePhase::Memory => (ErasurePhase::Done, None),
            None => {
                self.forget(due).await?;
                return Ok(StepOutcome::Superseded);
            }
        };
        let step = Millis(now.ms.0.max(erasure.step.0 + 1));
        if self.advance(due, progress, step, now).await? {
            Ok(StepOutcome::Run(step))
        } else {
            Ok(StepOutcome::Superseded)
        }
    }
}

impl<DB: Backend> ErasureStep<'_, DB> {
    async fn run(
        &self,
        phase: ErasurePhase,
        place: Option<Uuid>,
    ) -> Result<ErasureProgress, Error> {
        use ErasurePhase as P;
        Ok(match phase {
            P::AuditIds => {
                let write = &self.jobs.write;
                let erased = audit::erase(write, self.app.app_no, self.profile, place);
                match erased.await? {
                    Some(last) => (P::AuditIds, Some(last)),
                    None => (P::Revocation, None),
                }
            }
            P::Revocation => {
                let delete = BoundStatement::of(&DELETE_REVOCATION)
                    .bind(self.app.app_no)
                    .bind(self.profile.as_str())
                    .bind(self.request.0);
                transact(&self.jobs.write, vec![delete]).await?;
                (P::Entries, None)
            }
            P::Entries => {
                let is_clear = self.clear().await?;
                (if is_clear { P::Blocks } else { P::Entries }, None)
            }
            P::Blocks => match blocks::next(self, place).await? {
                Some(mailbox) => (P::Blocks, Some(mailbox)),
                None => (P::Segments, None),
            },
            P::Segments => match segments::next(self, place).await? {
                Some(job_id) => (P::Segments, Some(job_id)),
                None => (P::Messages, None),
            },
            P::Messages => match parties::next(self, place).await? {
                Some(message_id) => (P::Messages, Some(message_id)),
                None => (P::Mailbox, None),
            },
            P::Mailbox => {
                let is_deleted = self.delete_mailbox().await?;
                (if is_deleted { P::Memory } else { P::Entries }, None)
            }
            P::Memory | P::Done => (P::Done, None),
        })
    }

    /// Deletes the next entries and blocks of the mailbox, and leaves conversations. Returns whether it
    /// has no others.
    async fn clear(&self) -> Result<bool, Error> {
        for msgbox in Msgbox::ALL {
            let clear = ClearMessages::new(self.profile.clone(), msgbox);
            if self.run_part(clear).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(blocks::clear_own(self).await? && conversations::leave(self).await?)
    }

    /// Deletes the next tombstones of the mailbox; with the last ones, the mailbox. False if it has
    /// got entries.
    async fn delete_mailbox(&self) -> Result<bool, Error> {
        loop {
            let changes = BoundStatement::of(&CHANGES)
                .bind(self.app.app_no)
                .bind(self.profile.as_str());
            let mut connection = Connection::of(&self.jobs.read).await?;
            let row = connection.fetch_one(changes).await?;
            drop(connection);
            let Some(mut row) = row else {
                return Ok(true);
            };
            let (seq, floor) = (row.int()?, row.int()?);
            if floor + TRIMMED_CHANGES >= seq {
                break;
            }
            let trim = TrimTombstones {
                owner: self.profile.clone(),
                seq: floor + TRIMMED_CHANGES,
            };
            self.run_part(trim).await?;
        }
        let delete = DeleteMailbox {
            owner: self.profile.clone(),
        };
        let deleted = self.run_part(delete).await?;
        Ok(deleted == Some(Outcome::Changed(1)))
    }

    /// Runs one part of an operation, in a transaction of its own. None if there are others.
    async fn run_part(&self, action: impl Into<Action>) -> Result<Option<Outcome>, Error> {
        let batch = [self.batched(action)];
        let deadline = Instant::now() + STEP_TIMEOUT;
        let executor = &self.jobs.executor;
        let progress = retry::busy(deadline, || executor.run(self.now, &batch)).await?;
        match progress.into_iter().next() {
            Some(OperationProgress::Done(verdict)) => Ok(Some(verdict?)),
            Some(OperationProgress::Held(_)) => Err(Error::Busy(Contention::RowHeld)),
            Some(OperationProgress::Continues(_)) | None => Ok(None),
        }
    }

    /// Runs an operation to its end, in as many transactions as it needs.
    async fn run_to_end(&self, action: impl Into<Action>) -> Result<(), Error> {
        let batch = vec![self.batched(action)];
        let deadline = Instant::now() + STEP_TIMEOUT;
        let run = self.jobs.executor.run_to_end(self.now, batch, deadline);
        for verdict in run.await? {
            verdict?;
        }
        Ok(())
    }

    fn batched(&self, action: impl Into<Action>) -> BatchedOperation {
        BatchedOperation {
            app: self.app.clone(),
            operation: Operation::from(action.into()),
            account: CostAccount::default(),
            audit: None,
        }
    }
}
