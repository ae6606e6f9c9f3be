//! Runs batches: lock and read, look up idempotency records, apply, write, commit.
//!
//! A batch is one transaction, of a number of statements that depends neither on the number of
//! its operations nor on that of their recipients. Operations are applied to a [`Ledger`] in
//! memory, which then yields the rows to be written. Every mailbox of a batch is settled before
//! any operation is applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::operation::{Apply as _, Footprint};
use domain::{AppId, Ledger, MessageIdSource, Now, Policy, Refusal};
use storage::{ChangeListener, Error};
use telemetry::SettleMetrics;

use super::commit::{CommitMarker, commit_or_resolve};
use super::idempotency::IdempotencyRecords;
use super::operation::{BatchedOperation, Verdict};
use super::post_commit::PostCommit;
use super::{entries, lock, settle};
use crate::db::backend::Backend;
use crate::db::connection::{Connection, Transaction};
use crate::db::pool::Pool;
use crate::message_cache::MessageCache;
use crate::table::app::AppKey;
use crate::table::{self, BatchChanges};

/// Runs batches in transactions.
pub struct Executor<DB: Backend> {
    /// Connections that write.
    pub pool: Pool<DB>,
    /// The policy of apps that override nothing.
    pub policy: Policy,
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
    /// Runs a batch, and returns the verdicts in the order of its operations. A refused
    /// operation changes nothing; all others are durable on return.
    ///
    /// # Errors
    /// No operation took effect, except perhaps after [`Error::Unknown`].
    pub async fn run(
        &self,
        now: Now,
        operations: &[BatchedOperation],
    ) -> Result<Vec<Verdict>, Error> {
        if operations.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = Transaction::begin(&self.pool).await?;
        match run_on(transaction.connection(), self, now, operations).await {
            // All were refused: mailboxes created for them are rolled back, too.
            Ok(effects) if effects.settled == 0 && effects.verdicts.iter().all(Result::is_err) => {
                transaction.rollback().await?;
                Ok(effects.verdicts)
            }
            Ok(effects) => {
                commit_or_resolve(&self.pool, transaction, effects.marker).await?;
                self.settle_metrics.settled(effects.settled);
                effects
                    .post_commit
                    .run(&self.message_cache, &*self.listener);
                Ok(effects.verdicts)
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
    verdicts: Vec<Verdict>,
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
    let footprints = footprints(operations);
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
    lock::messages(connection, now.due_ms, &mut ledgers, &footprints).await?;
    lock::send_jobs(connection, &mut ledgers, &footprints).await?;
    lock::mailboxes(connection, now.ms, &mut ledgers, &footprints).await?;
    settle::read(connection, now.due_ms, &mut ledgers).await?;
    entries::read(connection, &mut ledgers, &footprints).await?;

    // Only now that all locks are held: a request that another store has just committed is seen.
    let mut records = IdempotencyRecords::read(connection, now, operations).await?;
    let settled = ledgers.values_mut().map(Ledger::settle).sum();
    let verdicts = apply(operations, &mut records, &mut ledgers);

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
    Ok(BatchEffects {
        verdicts,
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

/// Returns the merged footprint of each app's operations.
fn footprints(operations: &[BatchedOperation]) -> BTreeMap<i64, Footprint> {
    let mut footprints: BTreeMap<i64, Footprint> = BTreeMap::new();
    for batched in operations {
        let footprint = footprints.entry(batched.app.app_no).or_default();
        footprint.merge(batched.operation.action.footprint());
    }
    footprints
}

/// Applies the operations one after the other; each sees the effects of those before it.
fn apply(
    operations: &[BatchedOperation],
    records: &mut IdempotencyRecords,
    ledgers: &mut BTreeMap<i64, Ledger>,
) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(operations.len());
    for batched in operations {
        let ledger = ledgers.get_mut(&batched.app.app_no);
        let verdict = match (records.find(batched), ledger) {
            (Some(recorded), _) => recorded,
            (None, Some(ledger)) => {
                let verdict = batched.operation.action.apply(ledger);
                if let Ok(outcome) = &verdict {
                    records.add(batched, outcome);
                }
                verdict
            }
            (None, None) => Err(Refusal::NotFound),
        };
        verdicts.push(verdict);
    }
    verdicts
}
