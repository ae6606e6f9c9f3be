//! A batch: who waits for it, and how everybody gets an answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use domain::operation::Weight;
use domain::{Millis, Operation};
use futures::FutureExt;
use storage::{Clock, Error, MessageIds};
use tokio::sync::oneshot;

use crate::backend::Backend;
use crate::executor::{AppKey, Executor, Job, Verdict};
use crate::ids;
use crate::retry;

/// An operation that waits for its batch.
pub struct Ticket {
    pub arrived: Instant,
    pub app: AppKey,
    pub operation: Operation,
    pub weight: Weight,
    pub deadline: Instant,
    pub reply: Reply,
}

impl Ticket {
    /// Why it is too late to carry it out, if it is. The last quarter of the time is for what
    /// is still to be done: of a queue that is longer than callers wait, those would be first
    /// who have no time left for it.
    pub fn is_over(&self, now: Instant) -> Option<Error> {
        if self.deadline <= now || self.reply.is_closed() {
            return Some(Error::Deadline);
        }
        let waited = now.saturating_duration_since(self.arrived);
        (waited > 3 * (self.deadline - now)).then_some(Error::Overloaded)
    }

    /// Answers that it is not carried out.
    pub fn refuse(self, error: Error) {
        // It does not matter if nobody waits any more.
        let _ = self.reply.send(Err(error));
    }
}

type Reply = oneshot::Sender<Result<Verdict, Error>>;

/// What every batch needs.
pub struct Workshop<DB: Backend> {
    pub executor: Arc<Executor<DB>>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn MessageIds>,
    /// Operations in one batch, at the most.
    pub batch_operations_max: usize,
}

/// Operations that go into one transaction.
#[derive(Default)]
pub struct Batch {
    tickets: Vec<Ticket>,
    weight: Weight,
}

impl Batch {
    pub const fn len(&self) -> usize {
        self.tickets.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    /// Entries that its operations touch.
    pub const fn entries(&self) -> usize {
        self.weight.entries
    }

    /// Whether one more would not be too much. The first one never is.
    pub fn has_room_for(&self, ticket: &Ticket) -> bool {
        if self.is_empty() {
            return true;
        }
        let mut weight = self.weight;
        weight += ticket.weight;
        !weight.is_too_much()
    }

    /// Puts them in the order in which they came.
    pub fn sort(&mut self) {
        self.tickets.sort_by_key(|ticket| ticket.arrived);
    }

    /// Adds one more.
    pub fn add(&mut self, ticket: Ticket) {
        self.weight += ticket.weight;
        self.tickets.push(ticket);
    }
}

/// Jobs, and who waits for each until when.
#[derive(Default)]
struct Work {
    jobs: Vec<Job>,
    waiting: Vec<(Instant, Reply)>,
}

impl<DB: Backend> Workshop<DB> {
    /// Carries out a batch, and answers everybody. One job that the database will not take
    /// fails alone: the batch is halved until it is found. What nobody waits for any more
    /// is left out before each attempt.
    pub async fn carry_out(&self, batch: Batch) {
        let now = self.clock.now_ms();
        let mut works = vec![self.work(batch, now)];
        while let Some(work) = works.pop() {
            let work = work.still_wanted();
            if work.jobs.is_empty() {
                continue;
            }
            match self.attempt(&work, now).await {
                Ok(verdicts) => work.answer(verdicts.into_iter().map(Ok)),
                Err(error) if work.jobs.len() > 1 && may_be_one_jobs_fault(&error) => {
                    let (first, second) = work.halves();
                    works.extend([second, first]);
                }
                Err(error) => work.answer(std::iter::repeat_with(|| Err(error.again()))),
            }
        }
    }

    fn work(&self, batch: Batch, now: Millis) -> Work {
        let mut work = Work::default();
        for ticket in batch.tickets {
            work.waiting.push((ticket.deadline, ticket.reply));
            work.jobs.push(Job {
                app: ticket.app,
                message_id: ids::of(&*self.ids, &ticket.operation, now),
                operation: ticket.operation,
            });
        }
        work
    }

    /// Many jobs get one attempt: fewer of them are the better second one.
    async fn attempt(&self, work: &Work, now: Millis) -> Result<Vec<Verdict>, Error> {
        let run = || self.executor.run(now, &work.jobs);
        let run = async {
            match work.waiting.as_slice() {
                [(deadline, _)] => retry::busy(*deadline, run).await,
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

impl Work {
    /// The jobs for which somebody still waits. Whose deadline has passed is told so.
    fn still_wanted(self) -> Self {
        let now = Instant::now();
        let mut wanted = Self::default();
        for (job, (deadline, reply)) in self.jobs.into_iter().zip(self.waiting) {
            if deadline <= now {
                // It does not matter if nobody waits any more.
                let _ = reply.send(Err(Error::Deadline));
            } else if !reply.is_closed() {
                wanted.jobs.push(job);
                wanted.waiting.push((deadline, reply));
            }
        }
        wanted
    }

    fn answer(self, answers: impl IntoIterator<Item = Result<Verdict, Error>>) {
        for ((_, reply), answer) in self.waiting.into_iter().zip(answers) {
            // It does not matter if nobody waits any more.
            let _ = reply.send(answer);
        }
    }

    fn halves(mut self) -> (Self, Self) {
        let half = self.jobs.len() / 2;
        let second = Self {
            jobs: self.jobs.split_off(half),
            waiting: self.waiting.split_off(half),
        };
        (self, second)
    }
}

/// Whether the others may do better without the one that is to blame.
pub const fn may_be_one_jobs_fault(error: &Error) -> bool {
    match error {
        Error::Busy(_) | Error::Deadline | Error::Corrupt { .. } | Error::Internal(_) => true,
        Error::Refused(_) | Error::Overloaded | Error::Unavailable(_) | Error::Unknown(_) => false,
    }
}
