//! Who asks for counts while others are read for is read for together with all who wait by
//! then, by one statement: as many calls then cost the database little more than one.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{AppId, ProfileId};
use futures::FutureExt as _;
use storage::{Clock, Counted, Error};
use tokio::sync::oneshot;

use super::SqlStore;
use super::visit::Visit;
use crate::apps::Apps;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::epoch::Epoch;
use crate::lane::may_be_one_jobs_fault;
use crate::read::{Seen, counts};
use crate::warm::Warm;

/// Mailboxes that are read by one statement.
const TOGETHER_MAX: usize = 256;
/// How many read at a time: the fewer, the more they read for.
const READERS_MAX: usize = 2;

/// What reads counts.
pub(super) struct Together<DB: Backend> {
    pool: Warm<DB>,
    apps: Arc<Apps>,
    epoch: Arc<Epoch>,
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
}

/// Those who wait, and how many are reading.
#[derive(Default)]
struct Waiting {
    tickets: Vec<Ticket>,
    readers: usize,
}

/// Somebody who waits, and perhaps no longer.
struct Ticket {
    app: AppId,
    owner: ProfileId,
    answer: oneshot::Sender<Answer>,
}

/// What was found, or why nothing could be. None: the app has not begun.
type Answer = Result<Option<Seen<Counted>>, Error>;

impl<DB: Backend> SqlStore<DB> {
    /// The counts of a mailbox, as they were at some time after this was called.
    pub(super) async fn counted(&self, visit: &Visit<'_>) -> Result<Seen<Counted>, Error> {
        let (app, owner) = visit.whose();
        if let Some(seen) = self.together.counts(app, owner).await? {
            return Ok(seen);
        }
        let (app_no, mut view) = self.view(app, visit.sight()).await?;
        let (epoch, now) = (self.epoch.get(), self.clock.now_ms());
        let mailbox = (app_no, owner.clone());
        let seen = counts::read_one(view.connection(), epoch, &mailbox, now).await;
        view.end_with(seen).await
    }
}

impl<DB: Backend> Together<DB> {
    pub fn new(
        pool: Warm<DB>,
        apps: Arc<Apps>,
        epoch: Arc<Epoch>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            pool,
            apps,
            epoch,
            clock,
            waiting: Mutex::default(),
        })
    }

    /// None: the app has not begun, or those who were read for had better each be read for
    /// alone.
    async fn counts(self: &Arc<Self>, app: &AppId, owner: &ProfileId) -> Answer {
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket {
            app: app.clone(),
            owner: owner.clone(),
            answer,
        };
        if self.enter(ticket) {
            // In a task of its own: whoever stops waiting is not the only one it reads for.
            tokio::spawn(Arc::clone(self).read());
        }
        answered.await.unwrap_or(Ok(None))
    }

    /// Reads until nobody waits.
    async fn read(self: Arc<Self>) {
        while let Some(tickets) = self.take() {
            let read = AssertUnwindSafe(self.read_for(&tickets)).catch_unwind();
            match read.await {
                Ok(Ok(found)) => answer(tickets, found.into_iter().map(Ok)),
                // Each asks alone.
                Err(_) => {}
                Ok(Err(error)) if may_be_one_jobs_fault(&error) => {}
                // Those who came meanwhile would find the same.
                Ok(Err(error)) => {
                    let others = std::mem::take(&mut self.waiting().tickets);
                    let all = tickets.into_iter().chain(others);
                    answer(all, std::iter::repeat_with(|| Err(error.again())));
                }
            }
        }
    }

    /// Whether there is to be one more who reads.
    fn enter(&self, ticket: Ticket) -> bool {
        let mut waiting = self.waiting();
        waiting.tickets.push(ticket);
        let is_needed = waiting.readers < READERS_MAX;
        waiting.readers += usize::from(is_needed);
        is_needed
    }

    /// Those who have waited longest, of those who still do. None: nobody waits, and there is
    /// one who reads less.
    fn take(&self) -> Option<Vec<Ticket>> {
        let mut waiting = self.waiting();
        waiting.tickets.retain(|ticket| !ticket.answer.is_closed());
        if waiting.tickets.is_empty() {
            waiting.readers -= 1;
            return None;
        }
        let count = waiting.tickets.len().min(TOGETHER_MAX);
        Some(waiting.tickets.drain(..count).collect())
    }

    async fn read_for(&self, tickets: &[Ticket]) -> Result<Vec<Option<Seen<Counted>>>, Error> {
        let mut connection = Connection::of(&self.pool).await?;
        let mut numbers = BTreeMap::new();
        for ticket in tickets {
            if !numbers.contains_key(&ticket.app) {
                let app_no = self.apps.number_on(&mut connection, &ticket.app).await?;
                numbers.insert(&ticket.app, app_no);
            }
        }
        let begun = tickets.iter().map(|ticket| numbers[&ticket.app]);
        let begun: Vec<Option<i64>> = begun.collect();
        let mailboxes = begun.iter().zip(tickets);
        let mailboxes = mailboxes.filter_map(|(app_no, it)| Some(((*app_no)?, it.owner.clone())));
        let mailboxes: Vec<(i64, ProfileId)> = mailboxes.collect();
        let (epoch, now) = (self.epoch.get(), self.clock.now_ms());
        let counted = counts::read(&mut connection, epoch, &mailboxes, now).await?;
        let mut counted = counted.into_iter();
        let found = begun
            .iter()
            .map(|app_no| app_no.and_then(|_| counted.next()));
        Ok(found.collect())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(tickets: impl IntoIterator<Item = Ticket>, answers: impl Iterator<Item = Answer>) {
    for (ticket, answer) in tickets.into_iter().zip(answers) {
        // Who does not wait any more needs none.
        let _ = ticket.answer.send(answer);
    }
}
