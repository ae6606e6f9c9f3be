//! A batch: who waits for it, and how everybody gets an answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use domain::operation::Weight;
use domain::{Millis, Operation, Policy};
use futures::FutureExt;
use sqlx::Pool;
use storage::{Clock, Error, MessageIds};
use tokio::sync::oneshot;

use crate::backend::Backend;
use crate::executor::{self, Job, Verdict};
use crate::retry;

/// An operation that waits for its batch.
pub struct Ticket {
    pub app_no: i64,
    pub operation: Operation,
    pub deadline: Instant,
    pub reply: Reply,
}

type Reply = oneshot::Sender<Result<Verdict, Error>>;

/// What every batch needs.
pub struct Workshop<DB: Backend> {
    pub pool: Pool<DB>,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn MessageIds>,
    /// Operations in one batch, at the most.
    pub batch_operations_max: usize,
}

/// Operations that go into one transaction.
pub struct Batch {
    tickets: Vec<Ticket>,
    weight: Weight,
}

impl Batch {
    /// A batch of one, however much that is.
    pub fn of(first: Ticket) -> Self {
        Self {
            weight: first.operation.weight(),
            tickets: vec![first],
        }
    }

    pub const fn len(&self) -> usize {
        self.tickets.len()
    }

    /// Whether one more would not be too much.
    pub fn has_room_for(&self, ticket: &Ticket) -> bool {
        let mut weight = self.weight;
        weight += ticket.operation.weight();
        !weight.is_too_much()
    }

    /// Adds one more.
    pub fn add(&mut self, ticket: Ticket) {
        self.weight += ticket.operation.weight();
        self.tickets.push(ticket);
    }
}

/// Jobs, and who waits for each.
struct Work {
    jobs: Vec<Job>,
    replies: Vec<Reply>,
    deadline: Instant,
}

impl<DB: Backend> Workshop<DB> {
    /// Carries out a batch, and answers everybody. One job that the database will not take
    /// fails alone: the batch is halved until it is found.
    pub async fn carry_out(&self, batch: Batch) {
        let now = self.clock.now_ms();
        let mut works = vec![self.wanted(batch, now)];
        while let Some(work) = works.pop() {
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

    /// The operations for which somebody still waits.
    fn wanted(&self, batch: Batch, now: Millis) -> Work {
        let started = Instant::now();
        let mut work = Work {
            jobs: Vec::with_capacity(batch.len()),
            replies: Vec::with_capacity(batch.len()),
            deadline: started,
        };
        for ticket in batch.tickets {
            if ticket.deadline <= started {
                // It does not matter if nobody waits any more.
                let _ = ticket.reply.send(Err(Error::Deadline));
            } else if !ticket.reply.is_closed() {
                work.deadline = work.deadline.max(ticket.deadline);
                work.replies.push(ticket.reply);
                work.jobs.push(Job {
                    app_no: ticket.app_no,
                    operation: ticket.operation,
                    message_id: self.ids.next(now),
                });
            }
        }
        work
    }

    async fn attempt(&self, work: &Work, now: Millis) -> Result<Vec<Verdict>, Error> {
        let run = || executor::run(&self.pool, &self.policy, now, &work.jobs);
        let run = AssertUnwindSafe(retry::busy(work.deadline, run));
        // A lane outlives a bug.
        let panicked = |_| Err(Error::Internal("a batch panicked".into()));
        run.catch_unwind().await.unwrap_or_else(panicked)
    }
}

impl Work {
    fn answer(self, answers: impl IntoIterator<Item = Result<Verdict, Error>>) {
        for (reply, answer) in self.replies.into_iter().zip(answers) {
            // It does not matter if nobody waits any more.
            let _ = reply.send(answer);
        }
    }

    fn halves(mut self) -> (Self, Self) {
        let half = self.jobs.len() / 2;
        let second = Self {
            jobs: self.jobs.split_off(half),
            replies: self.replies.split_off(half),
            deadline: self.deadline,
        };
        (self, second)
    }
}

/// Whether the others may do better without the one that is to blame.
const fn may_be_one_jobs_fault(error: &Error) -> bool {
    match error {
        Error::Busy(_) | Error::Deadline | Error::Corrupt { .. } | Error::Internal(_) => true,
        Error::Refused(_) | Error::Overloaded | Error::Unavailable(_) | Error::Unknown(_) => false,
    }
}
