//! A batch of operations, and the replies to their callers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ledger::HeldRow;
use domain::limits::{BATCH_BYTES_MAX, PART_ENTRIES};
use domain::operation::{Apply as _, Weight};
use domain::{Action, Now, Operation};
use futures::FutureExt;
use storage::{Budget, Clock, Error};
use telemetry::LaneMetrics;
use tokio::sync::oneshot;

use crate::db::backend::Backend;
use crate::db::retry;
use crate::table::app::AppKey;
use crate::write::executor::Executor;
use crate::write::operation::{BatchedOperation, OperationProgress, Verdict};

/// An operation that waits for its batch.
pub struct QueuedOperation {
    pub queued: Instant,
    pub app: AppKey,
    pub operation: Operation,
    pub weight: Weight,
    pub budget: Budget,
    /// True after the first of several transactions. It then runs to its end, also if its caller
    /// has gone.
    pub is_begun: bool,
    pub reply: Reply,
}

impl QueuedOperation {
    /// Returns the error of an operation that is too late to be run. The last quarter of the
    /// time to its deadline is for running it: in a queue longer than callers wait, those at
    /// the front would else have no time left.
    pub fn expired(&self, now: Instant) -> Option<Error> {
        if self.is_begun {
            return (self.budget.deadline <= now).then_some(Error::Deadline);
        }
        if self.budget.deadline <= now || self.reply.is_closed() {
            return Some(Error::Deadline);
        }
        let waited = now.saturating_duration_since(self.queued);
        (waited > 3 * (self.budget.deadline - now)).then_some(Error::Overloaded)
    }

    /// Replies with an error; the operation is not run.
    pub fn refuse(self, error: Error) {
        // The caller may be gone.
        let _ = self.reply.send(Err(error));
    }
}

/// An operation that another transaction goes on with.
pub struct UnfinishedOperation {
    pub operation: QueuedOperation,
    /// Row that it needs and another transaction has locked.
    pub held: Option<HeldRow>,
}

type Reply = oneshot::Sender<Result<Verdict, Error>>;

/// The error of operations that come after the lanes were closed.
pub fn closed() -> Error {
    Error::Unavailable("the store is closed".into())
}

/// Runs batches.
pub struct BatchRunner<DB: Backend> {
    pub executor: Arc<Executor<DB>>,
    pub clock: Arc<dyn Clock>,
    /// Maximum number of operations in a batch.
    pub batch_operations_max: usize,
    pub metrics: LaneMetrics,
}

/// Operations for one transaction.
#[derive(Default)]
pub struct Batch {
    operations: Vec<QueuedOperation>,
    weight: Weight,
    has_large_of_users: bool,
}

impl Batch {
    /// Returns whether large operations of users are among these.
    pub const fn has_large_of_users(&self) -> bool {
        self.has_large_of_users
    }

    #[cfg(test)]
    pub fn operations(&self) -> impl Iterator<Item = &QueuedOperation> {
        self.operations.iter()
    }

    pub const fn len(&self) -> usize {
        self.operations.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Returns for each operation the time that it was queued.
    pub fn waits(&self) -> impl Iterator<Item = Duration> {
        let now = Instant::now();
        let queued = self.operations.iter().map(|operation| operation.queued);
        queued.map(move |queued| now.saturating_duration_since(queued))
    }

    /// Returns whether an operation of this weight fits in, if the batch takes so many entries. The
    /// first always does.
    pub fn has_room_for(&self, more: Weight, entries_max: usize) -> bool {
        if self.is_empty() {
            return true;
        }
        let mut weight = self.weight;
        weight += more;
        weight.entries <= entries_max && weight.bytes <= BATCH_BYTES_MAX
    }

    /// Sorts the operations by the time at which they were queued.
    pub fn sort(&mut self) {
        self.operations.sort_by_key(|operation| operation.queued);
    }

    /// Adds an operation.
    pub fn push(&mut self, operation: QueuedOperation) {
        self.weight += operation.weight;
        let is_of_user = operation.operation.action.actor().is_some();
        self.has_large_of_users |= is_of_user && operation.weight.is_large();
        self.operations.push(operation);
    }
}

/// Attempt at a batch or a part of it: its operations, and the callers who wait for them.
#[derive(Default)]
struct Attempt {
    operations: Vec<BatchedOperation>,
    callers: Vec<Waiter>,
}

struct Waiter {
    queued: Instant,
    deadline: Instant,
    is_begun: bool,
    reply: Reply,
}

impl<DB: Backend> BatchRunner<DB> {
    /// Runs a batch and replies to all callers. An operation that the database rejects fails
    /// alone: the batch is bisected until it is found. Operations whose caller has gone are left
    /// out before each attempt. Returns those that are to be run again, or in part.
    pub async fn run(&self, batch: Batch) -> Vec<UnfinishedOperation> {
        let (started, operations) = (Instant::now(), batch.len());
        let now = self.clock.now();
        let mut attempts = vec![Attempt::of(batch)];
        let mut rest = Vec::new();
        while let Some(attempt) = attempts.pop() {
            let attempt = attempt.without_expired();
            if attempt.operations.is_empty() {
                continue;
            }
            match self.execute(&attempt, &now).await {
                Ok(progress) => rest.extend(attempt.progressed(progress)),
                Err(error) if attempt.operations.len() > 1 && is_worth_bisecting(&error) => {
                    let (first, second) = attempt.halves();
                    attempts.extend([second, first]);
                }
                Err(error) => attempt.fail(&error),
            }
        }
        self.metrics.batch_ended(operations, started.elapsed());
        rest
    }

    /// Runs a batch after a moment's wait for a row, as one attempt. Returns the operations that are
    /// to be run again, and whether the row was locked.
    pub async fn run_with(
        &self,
        (app_no, row): &(i64, HeldRow),
        batch: Batch,
    ) -> (Vec<UnfinishedOperation>, bool) {
        let attempt = Attempt::of(batch).without_expired();
        let run = async {
            let now = self.clock.now()?;
            let operations = &attempt.operations;
            self.executor.run_with(*app_no, row, now, operations).await
        };
        // A lane outlives a bug.
        match AssertUnwindSafe(run).catch_unwind().await {
            Ok(Ok(Some(progress))) => (attempt.progressed(progress), true),
            Ok(Err(Error::Unknown(error))) => {
                attempt.fail(&Error::Unknown(error));
                (Vec::new(), false)
            }
            // Another attempt without the wait has the error, if there is one.
            Ok(Ok(None) | Err(_)) | Err(_) => (attempt.held(row), false),
        }
    }

    /// Executes an attempt. A single operation is retried if the database is busy; of several,
    /// halves are the better second attempt.
    async fn execute(
        &self,
        attempt: &Attempt,
        now: &Result<Now, Error>,
    ) -> Result<Vec<OperationProgress>, Error> {
        let now = *now.as_ref().map_err(Error::duplicate)?;
        let run = || self.executor.run(now, &attempt.operations);
        let run = async {
            match attempt.callers.as_slice() {
                [caller] => retry::busy(caller.deadline, run).await,
                _ => run().await,
            }
        };
        // A lane outlives a bug.
        let panicked = |_| Err(Error::Internal("a batch panicked".into()));
        AssertUnwindSafe(run)
            .catch_unwind()
            .await
            .unwrap_or_else(panicked)
    }
}

impl Attempt {
    fn of(batch: Batch) -> Self {
        let mut attempt = Self::default();
        for queued in batch.operations {
            attempt.callers.push(Waiter {
                queued: queued.queued,
                deadline: queued.budget.deadline,
                is_begun: queued.is_begun,
                reply: queued.reply,
            });
            attempt.operations.push(BatchedOperation {
                app: queued.app,
                operation: queued.operation,
                account: queued.budget.account,
                audit: queued.budget.audit,
            });
        }
        attempt
    }

    /// Drops the operations whose caller has gone or whose deadline has passed.
    fn without_expired(self) -> Self {
        let now = Instant::now();
        let mut rest = Self::default();
        for (operation, caller) in self.operations.into_iter().zip(self.callers) {
            if caller.deadline <= now {
                // The caller may be gone.
                let _ = caller.reply.send(Err(Error::Deadline));
            } else if caller.is_begun || !caller.reply.is_closed() {
                rest.operations.push(operation);
                rest.callers.push(caller);
            }
        }
        rest
    }

    /// Replies to the callers whose operations are done, and returns the others.
    fn progressed(self, progress: Vec<OperationProgress>) -> Vec<UnfinishedOperation> {
        let mut rest = Vec::new();
        let operations = self.operations.into_iter().zip(self.callers);
        for ((batched, caller), progress) in operations.zip(progress) {
            match progress {
                OperationProgress::Done(verdict) => {
                    // The caller may be gone.
                    let _ = caller.reply.send(Ok(verdict));
                }
                OperationProgress::Continues(action) => {
                    let weight = weight_of_rest(&action);
                    let batched = BatchedOperation {
                        operation: Operation {
                            action,
                            ..batched.operation
                        },
                        ..batched
                    };
                    let caller = Waiter {
                        queued: Instant::now(),
                        is_begun: true,
                        ..caller
                    };
                    rest.push(unfinished(batched, caller, weight, None));
                }
                OperationProgress::Held(row) => {
                    let weight = batched.operation.action.weight();
                    rest.push(unfinished(batched, caller, weight, Some(row)));
                }
            }
        }
        rest
    }

    /// Returns all operations, which wait for a row.
    fn held(self, row: &HeldRow) -> Vec<UnfinishedOperation> {
        let operations = self.operations.into_iter().zip(self.callers);
        let held = operations.map(|(batched, caller)| {
            let weight = batched.operation.action.weight();
            unfinished(batched, caller, weight, Some(row.clone()))
        });
        held.collect()
    }

    fn fail(self, error: &Error) {
        for caller in self.callers {
            // The caller may be gone.
            let _ = caller.reply.send(Err(error.duplicate()));
        }
    }

    fn halves(mut self) -> (Self, Self) {
        let half = self.operations.len() / 2;
        let second = Self {
            operations: self.operations.split_off(half),
            callers: self.callers.split_off(half),
        };
        (self, second)
    }
}

fn unfinished(
    batched: BatchedOperation,
    caller: Waiter,
    weight: Weight,
    held: Option<HeldRow>,
) -> UnfinishedOperation {
    UnfinishedOperation {
        operation: QueuedOperation {
            queued: caller.queued,
            app: batched.app,
            operation: batched.operation,
            weight,
            budget: Budget {
                deadline: caller.deadline,
                account: batched.account,
                audit: batched.audit,
            },
            is_begun: caller.is_begun,
            reply: caller.reply,
        },
        held,
    }
}

/// Returns the weight of an operation that goes on: that of a part at least, of its own work or of
/// what is due before.
fn weight_of_rest(action: &Action) -> Weight {
    let weight = action.weight();
    Weight {
        entries: weight.entries.max(PART_ENTRIES),
        ..weight
    }
}

/// Returns whether a batch that failed so may succeed in parts: one operation may be the cause.
pub const fn is_worth_bisecting(error: &Error) -> bool {
    match error {
        Error::Busy(_) | Error::Deadline | Error::Corrupt { .. } | Error::Internal(_) => true,
        Error::Refused(_) | Error::Overloaded | Error::Unavailable(_) | Error::Unknown(_) => false,
    }
}
