//! Runs batches: lock and read, look up idempotency records, apply, write, commit.
//!
//! A batch is one transaction, of a number of statements that depends neither on the number of
//! its operations nor on that of their recipients. Operations are applied to a [`Ledger`] in
//! memory, which then yields the rows to be written. Every mailbox of a batch is settled before
//! any operation is applied.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::audit::AuditKey;
use domain::ledger::HeldRow;
use domain::operation::{Apply as _, Footprint};
use domain::{AppId, Ledger, MessageIdSource, Now, Policy, Refusal};
use storage::{ChangeListener, Contention, Cost, Error};
use telemetry::SettleMetrics;
use tokio::time::sleep;

use super::audit::AuditRecords;
use super::claims::RowClaims;
use super::commit::{CommitMarker, commit_or_resolve};
use super::idempotency::IdempotencyRecords;
use super::operation::{BatchedOperation, OperationProgress, Verdict};
use super::post_commit::PostCommit;
use super::{conversations, entries, lock, senders, settle};
use crate::db::backend::Backend;
use crate::db::connection::{Connection, Transaction};
use crate::db::pool::Pool;
use crate::db::retry;
use crate::message_cache::MessageCache;
use crate::table::app::AppKey;
use crate::table::{self, BatchChanges};

/// Pause before operations are run again whose rows another transaction has locked.
const HELD_PAUSE: Duration = Duration::from_millis(5);

/// Runs batches in transactions.
pub struct Executor<DB: Backend> {
    /// Connections that write.
    pub pool: Pool<DB>,
    /// The policy of apps that override nothing.
    pub policy: Policy,
    /// Key of the audit log; none: operations of audited calls fail.
    pub audit_key: Option<AuditKey>,
    /// Source of the ids of new messages.
    pub ids: Arc<dyn MessageIdSource>,
    /// Filled with the messages of each batch: they are read next.
    pub message_cache: MessageCache,
    /// Called with the changes of each batch after its commit.
    pub listener: Arc<dyn ChangeListener>,
    /// Counts the settled mailboxes of committed batches.
    pub settle_metrics: SettleMetrics,
}

impl<DB: Backend> Executor<DB> {
    /// Runs a batch in as many transactions as its operations need, each retried if the database is
    /// busy, and returns the verdicts in their order.
    ///
    /// # Errors
    /// As [`Self::run`], but some operations, or parts of them, may have taken effect.
    /// [`Error::Busy`] if a row is still locked at the deadline.
    pub async fn run_to_end(
        &self,
        now: Now,
        mut operations: Vec<BatchedOperation>,
        deadline: Instant,
    ) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = vec![None; operations.len()];
        let mut places: Vec<usize> = (0..operations.len()).collect();
        while !operations.is_empty() {
            let progress = retry::busy(deadline, || self.run(now, &operations)).await?;
            if progress.iter().any(is_held) {
                if Instant::now() >= deadline {
                    return Err(Error::Busy(Contention::RowHeld));
                }
                sleep(HELD_PAUSE).await;
            }
            let run = std::mem::take(&mut operations).into_iter();
            for ((mut batched, place), progress) in
                run.zip(std::mem::take(&mut places)).zip(progress)
            {
                match progress {
                    OperationProgress::Done(verdict) => verdicts[place] = Some(verdict),
                    OperationProgress::Continues(action) => {
                        batched.operation.action = action;
                        operations.push(batched);
                        places.push(place);
                    }
                    OperationProgress::Held(_) => {
                        operations.push(batched);
                        places.push(place);
                    }
                }
            }
        }
        Ok(verdicts.into_iter().flatten().collect())
    }

    /// Runs a batch in one transaction, and returns the progress of each operation in their
    /// order. A refused operation changes nothing; all others are durable on return.
    ///
    /// # Errors
    /// No operation took effect, except perhaps after [`Error::Unknown`].
    pub async fn run(
        &self,
        now: Now,
        operations: &[BatchedOperation],
    ) -> Result<Vec<OperationProgress>, Error> {
        if operations.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = Transaction::begin(&self.pool).await?;
        self.run_in(transaction, now, operations).await
    }

    /// Waits a moment for a row of an app that another transaction has locked, then runs a batch
    /// as [`Self::run`] does. None if the row is still locked, or does not exist.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_with(
        &self,
        app_no: i64,
        row: &HeldRow,
        now: Now,
        operations: &[BatchedOperation],
    ) -> Result<Option<Vec<OperationProgress>>, Error> {
        let mut transaction = Transaction::begin_brief(&self.pool).await?;
        match lock::wait_for(transaction.connection(), app_no, row).await {
            Ok(true) => self.run_in(transaction, now, operations).await.map(Some),
            Ok(false) | Err(Error::Busy(_)) => {
                transaction.rollback().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn run_in(
        &self,
        mut transaction: Transaction<DB>,
        now: Now,
        operations: &[BatchedOperation],
    ) -> Result<Vec<OperationProgress>, Error> {
        match run_on(transaction.connection(), self, now, operations).await {
            // All were refused or have to wait: mailboxes created for them are rolled back, too.
            Ok(effects)
                if effects.settled == 0 && effects.progress.iter().all(is_without_effect) =>
            {
                transaction.rollback().await?;
                Ok(effects.progress)
            }
            Ok(effects) => {
                commit_or_resolve(&self.pool, transaction, effects.marker).await?;
                self.settle_metrics.settled(effects.settled);
                effects
                    .post_commit
                    .run(&self.message_cache, &*self.listener);
                charge(operations, &effects.entry_changes);
                Ok(effects.progress)
            }
            Err(error) => {
                // If the rollback fails as well, the connection is closed; the first error
                // is the one to report.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }
}

/// The effects of a batch before its commit.
struct BatchEffects {
    progress: Vec<OperationProgress>,
    /// Entries that each operation changed.
    entry_changes: Vec<usize>,
    /// Mailboxes that were settled.
    settled: usize,
    post_commit: PostCommit,
    marker: CommitMarker,
}

/// Runs the statements of a batch between begin and commit.
async fn run_on<DB: Backend>(
    connection: &mut Connection<DB>,
    executor: &Executor<DB>,
    now: Now,
    operations: &[BatchedOperation],
) -> Result<BatchEffects, Error> {
    let (claims, mut footprints) = RowClaims::read(connection, operations).await?;
    let (policy, ids) = (&executor.policy, &executor.ids);
    let apps = lock::apps(
        connection,
        policy,
        ids,
        now,
        &apps(operations)?,
        &footprints,
    )
    .await?;
    let mut ledgers = apps.ledgers;
    lock::usage(connection, &mut ledgers).await?;
    lock::live_bulk(connection, now.due_ms, &mut ledgers, &footprints).await?;
    lock::conversations(connection, &mut ledgers, &footprints).await?;
    lock::messages(connection, now.due_ms, &mut ledgers, &footprints).await?;
    for (app_no, footprint) in &mut footprints {
        if let Some(ledger) = ledgers.get_mut(app_no) {
            ledger.read_few_holders(footprint);
        }
    }
    lock::expired_messages(connection, now.due_ms, &mut ledgers, &footprints).await?;
    lock::send_jobs(connection, &mut ledgers, &footprints).await?;
    lock::mailboxes(connection, now.ms, &mut ledgers, &footprints).await?;
    settle::read(connection, now.due_ms, &mut ledgers).await?;
    entries::read(connection, &mut ledgers, &footprints).await?;
    senders::read(connection, &mut ledgers, &footprints).await?;
    conversations::read(connection, &mut ledgers, &footprints).await?;

    // Only now that all locks are held: a request that another store has just committed is seen.
    let mut records = IdempotencyRecords::read(connection, now, operations).await?;
    let settled = ledgers.values_mut().map(Ledger::settle).sum();
    let mut audit = AuditRecords::default();
    let (progress, entry_changes) =
        apply(operations, &claims, &mut records, &mut audit, &mut ledgers);

    let mut changes = Vec::with_capacity(ledgers.len());
    for (app_no, ledger) in ledgers {
        let of_app = ledger.into_changes();
        changes.push((
            app_no,
            of_app.map_err(|not_read| Error::Internal(not_read.into()))?,
        ));
    }
    let message = changes.iter().find_map(|(app_no, changes)| {
        let message = changes.new_messages.first()?;
        Some((*app_no, message.envelope.message_id))
    });
    write(connection, &changes).await?;
    records.write(connection).await?;
    audit.write(connection, executor.audit_key.as_ref()).await?;
    Ok(BatchEffects {
        progress,
        entry_changes,
        settled,
        post_commit: PostCommit::of(changes, apps.epoch),
        marker: CommitMarker {
            xid: apps.xid,
            message,
        },
    })
}

/// Writes the changes of a batch, table by table in the order of locking.
async fn write<DB: Backend>(
    connection: &mut Connection<DB>,
    changes: &BatchChanges,
) -> Result<(), Error> {
    for writes in table::WRITES {
        for write in writes(changes) {
            connection.write(write).await?;
        }
    }
    Ok(())
}

/// Returns the apps of the operations by their numbers.
fn apps(operations: &[BatchedOperation]) -> Result<BTreeMap<i64, &AppId>, Error> {
    let mut apps = BTreeMap::new();
    for AppKey { app_no, app_id } in operations.iter().map(|batched| &batched.app) {
        if apps
            .insert(*app_no, app_id)
            .is_some_and(|app| app != app_id)
        {
            return Err(lock::renumbered());
        }
    }
    Ok(apps)
}

const fn is_held(progress: &OperationProgress) -> bool {
    matches!(progress, OperationProgress::Held(_))
}

const fn is_without_effect(progress: &OperationProgress) -> bool {
    matches!(
        progress,
        OperationProgress::Done(Err(_)) | OperationProgress::Held(_)
    )
}

/// Applies the operations one after the other; each sees the effects of those before it. Returns the
/// progress of each, and the number of entries that it changed.
fn apply(
    operations: &[BatchedOperation],
    claims: &RowClaims,
    records: &mut IdempotencyRecords,
    audit: &mut AuditRecords,
    ledgers: &mut BTreeMap<i64, Ledger>,
) -> (Vec<OperationProgress>, Vec<usize>) {
    let applied = operations.iter().map(|batched| {
        let ledger = ledgers.get_mut(&batched.app.app_no);
        match (records.find(batched), ledger) {
            (Some(recorded), _) => (OperationProgress::Done(recorded), 0),
            (None, Some(ledger)) => {
                let before = ledger.entry_changes();
                let progress = apply_one(batched, claims, records, audit, ledger);
                (progress, ledger.entry_changes() - before)
            }
            (None, None) => (OperationProgress::Done(Err(Refusal::NotFound)), 0),
        }
    });
    applied.unzip()
}

/// Charges the operations of a committed batch, also for rows that they only look at.
fn charge(operations: &[BatchedOperation], entry_changes: &[usize]) {
    for (batched, entries) in operations.iter().zip(entry_changes) {
        let rows = batched.operation.action.weight().entries;
        batched.account.charge(Cost::Entries(*entries));
        batched.account.charge(Cost::Rows(rows));
    }
}

/// Applies an operation, unless another transaction has locked one of its rows, or one of its
/// mailboxes has more due than one transaction settles.
fn apply_one(
    batched: &BatchedOperation,
    claims: &RowClaims,
    records: &mut IdempotencyRecords,
    audit: &mut AuditRecords,
    ledger: &mut Ledger,
) -> OperationProgress {
    let action = &batched.operation.action;
    let footprint = |ledger: &Ledger| {
        let mut footprint = claims.footprint(batched);
        ledger.add_read_holders(&mut footprint);
        footprint
    };
    if ledger.holds_any()
        && let Some(row) = ledger.held_row(&footprint(ledger))
    {
        return OperationProgress::Held(row);
    }
    if !ledger.is_settled() && !are_settled(ledger, &footprint(ledger)) {
        return OperationProgress::Continues(action.clone());
    }
    let verdict = action.apply(ledger);
    if let Ok(outcome) = &verdict {
        if let Some(caller) = action.caller() {
            ledger.know(caller);
        }
        let rest = action.rest(ledger, outcome);
        // A part that only reads what the next ones delete has no record.
        if rest.is_none() || outcome.affected() > 0 {
            audit.add(batched, outcome, ledger.now());
        }
        if let Some(rest) = rest {
            return OperationProgress::Continues(rest);
        }
        records.add(batched, outcome);
    }
    OperationProgress::Done(verdict)
}

/// Returns whether the mailboxes of a footprint have nothing due any more.
fn are_settled(ledger: &Ledger, footprint: &Footprint) -> bool {
    let messages = footprint.messages.iter();
    let holders = messages.filter_map(|(id, holders)| Some((ledger.message(*id)?, *holders)));
    let mut holders = holders.flat_map(|(message, holders)| message.boxes_of(holders));
    let mut owners = footprint.owners();
    owners.all(|owner| ledger.is_mailbox_settled(owner))
        && holders.all(|(owner, _)| ledger.is_mailbox_settled(owner))
}
