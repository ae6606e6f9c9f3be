//! The walk of every write: lock and read, look for answers, apply, write, commit.
//!
//! A batch is carried out in one transaction, in a number of statements that depends
//! neither on how many operations it has nor on how many recipients they have. What the
//! operations mean is not known here: they are applied to a [`Ledger`], and what has
//! changed in it is written. Every mailbox of a batch takes what is due before that.

mod answers;
mod commit;
mod entries;
mod lock;
mod news;
mod settle;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::operation::Footprint;
use domain::{AppId, Ledger, MessageId, Millis, Operation, Outcome, Policy, Refusal};
use storage::{Error, Wake};

use crate::backend::Backend;
use crate::connection::{Connection, Transaction};
use crate::contents::Contents;
use crate::warm::Warm;
use answers::Answers;
use commit::Traces;
use news::News;

/// An app, and the number that it is thought to have.
#[derive(Debug, Clone)]
pub struct AppKey {
    /// The number.
    pub app_no: i64,
    /// The app.
    pub app_id: AppId,
}

/// An operation of an app, on its way.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its app.
    pub app: AppKey,
    /// What to do.
    pub operation: Operation,
    /// The id of the message that it makes, if it makes one.
    pub message_id: MessageId,
}

/// What became of a job.
pub type Verdict = Result<Outcome, Refusal>;

/// Where batches are carried out.
pub struct Executor<DB: Backend> {
    /// Where they are written.
    pub pool: Warm<DB>,
    /// By which rules.
    pub policy: Policy,
    /// Where messages are remembered: what was just written is what is read next.
    pub contents: Contents,
    /// Who is told of what has changed.
    pub wake: Arc<dyn Wake>,
}

impl<DB: Backend> Executor<DB> {
    /// Carries out a batch: each job alone is done or refused, and all that were done are
    /// durable when this returns. The verdicts are in the order of the jobs.
    ///
    /// # Errors
    /// Nothing was done, except after [`Error::Unknown`].
    pub async fn run(&self, now: Millis, jobs: &[Job]) -> Result<Vec<Verdict>, Error> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = Transaction::begin(&self.pool).await?;
        match walk(transaction.connection(), &self.policy, now, jobs).await {
            // Nothing was done, and so nothing begins, not even a mailbox.
            Ok(walked) if !walked.settled && walked.verdicts.iter().all(Result::is_err) => {
                transaction.rollback().await?;
                Ok(walked.verdicts)
            }
            Ok(walked) => {
                commit::settle(&self.pool, transaction, walked.traces).await?;
                walked.news.tell(&self.contents, &*self.wake);
                Ok(walked.verdicts)
            }
            Err(error) => {
                // The first error is the one that tells; if this one fails too, the
                // connection is closed.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }
}

/// What was done, before it is durable.
struct Walked {
    verdicts: Vec<Verdict>,
    /// Whether a mailbox took something that was due.
    settled: bool,
    news: News,
    traces: Traces,
}

/// All of it but the ends.
async fn walk<DB: Backend>(
    connection: &mut Connection<DB>,
    policy: &Policy,
    now: Millis,
    jobs: &[Job],
) -> Result<Walked, Error> {
    let footprints = footprints(jobs);
    let apps = lock::apps(connection, policy, now, &apps(jobs)?, &footprints).await?;
    let mut ledgers = apps.ledgers;
    lock::messages(connection, now, &mut ledgers, &footprints).await?;
    lock::jobs(connection, &mut ledgers, &footprints).await?;
    lock::mailboxes(connection, now, &mut ledgers, &footprints).await?;
    settle::read(connection, now, &mut ledgers).await?;
    entries::read(connection, &mut ledgers, &footprints).await?;

    // With all locks in hand, so that what somebody else has just done is known.
    let mut answers = Answers::read(connection, now, jobs).await?;
    let settled = ledgers
        .values_mut()
        .fold(false, |any, ledger| ledger.settle() | any);
    let verdicts = apply(jobs, &mut answers, &mut ledgers);

    let changes = ledgers
        .into_iter()
        .map(|(app_no, ledger)| (app_no, ledger.into_changes()));
    let changes: Vec<_> = changes.collect();
    let message = changes.iter().find_map(|(app_no, changes)| {
        let message = changes.new_messages.first()?;
        Some((*app_no, message.envelope.message_id))
    });
    write::changes(connection, &changes).await?;
    answers.write(connection).await?;
    Ok(Walked {
        verdicts,
        settled,
        news: News::of(changes, apps.epoch),
        traces: Traces {
            xid: apps.xid,
            message,
        },
    })
}

/// The apps of the jobs, by their numbers.
fn apps(jobs: &[Job]) -> Result<BTreeMap<i64, &AppId>, Error> {
    let mut apps = BTreeMap::new();
    for AppKey { app_no, app_id } in jobs.iter().map(|job| &job.app) {
        if apps
            .insert(*app_no, app_id)
            .is_some_and(|app| app != app_id)
        {
            return Err(lock::renumbered());
        }
    }
    Ok(apps)
}

/// What the jobs of each app must see together.
fn footprints(jobs: &[Job]) -> BTreeMap<i64, Footprint> {
    let mut footprints: BTreeMap<i64, Footprint> = BTreeMap::new();
    for job in jobs {
        let footprint = footprints.entry(job.app.app_no).or_default();
        footprint.merge(job.operation.footprint());
    }
    footprints
}

/// Applies the jobs in turn: each sees what those before it did.
fn apply(jobs: &[Job], answers: &mut Answers, ledgers: &mut BTreeMap<i64, Ledger>) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(jobs.len());
    for job in jobs {
        let verdict = match (answers.answer(job), ledgers.get_mut(&job.app.app_no)) {
            (Some(answer), _) => answer,
            (None, Some(ledger)) => {
                let verdict = job.operation.apply(ledger, job.message_id);
                if let Ok(outcome) = &verdict {
                    answers.keep(job, outcome);
                }
                verdict
            }
            (None, None) => Err(Refusal::NotFound),
        };
        verdicts.push(verdict);
    }
    verdicts
}
