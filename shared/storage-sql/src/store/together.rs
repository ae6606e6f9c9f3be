//! Who asks for counts while others are read for is read for together with all who wait by
//! then, by one statement: as many calls then cost the database little more than one.

use std::sync::{Mutex, PoisonError};

use domain::{AppId, ProfileId};
use storage::{Counted, Error};
use tokio::select;
use tokio::sync::{Semaphore, oneshot};

use super::SqlStore;
use crate::backend::Backend;
use crate::connection::Connection;
use crate::read::items::Sight;
use crate::read::{Seen, counts};

/// Mailboxes that are read by one statement.
const TOGETHER_MAX: usize = 256;

/// How many read for the others at a time: the fewer, the more they read for.
const READERS_MAX: usize = 2;

/// Those who wait.
pub(super) struct Waiting {
    tickets: Mutex<Vec<Ticket>>,
    readers: Semaphore,
}

/// Somebody who waits, and perhaps no longer.
struct Ticket {
    app: AppId,
    owner: ProfileId,
    answer: oneshot::Sender<Seen<Counted>>,
}

impl Waiting {
    pub fn new() -> Self {
        Self {
            tickets: Mutex::new(Vec::new()),
            readers: Semaphore::new(READERS_MAX),
        }
    }

    fn enter(&self, app: &AppId, owner: &ProfileId) -> oneshot::Receiver<Seen<Counted>> {
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket {
            app: app.clone(),
            owner: owner.clone(),
            answer,
        };
        self.with(|waiting| waiting.push(ticket));
        answered
    }

    /// Those who have waited longest, and are read for now.
    fn take(&self) -> Vec<Ticket> {
        let mut taken = self.with(|waiting| {
            let rest = waiting.split_off(waiting.len().min(TOGETHER_MAX));
            std::mem::replace(waiting, rest)
        });
        taken.retain(|ticket| !ticket.answer.is_closed());
        taken
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Ticket>) -> T) -> T {
        act(&mut self.tickets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<DB: Backend> SqlStore<DB> {
    /// The counts of a mailbox, as they were at some time after this was called. None: the app
    /// has not begun, or whoever read for this one did not come to an end.
    pub(super) async fn counted_together(
        &self,
        app: &AppId,
        owner: &ProfileId,
    ) -> Result<Option<Seen<Counted>>, Error> {
        let mut answered = self.waiting.enter(app, owner);
        let reader = select! {
            biased;
            answer = &mut answered => return Ok(answer.ok()),
            reader = self.waiting.readers.acquire() => reader,
        };
        let connection = Connection::of(&self.pools.read).await?;
        self.count(connection, self.waiting.take()).await?;
        drop(reader);
        // Another one may be reading for this one.
        Ok(answered.await.ok())
    }

    /// The same for one who could not be read for together with others.
    pub(super) async fn counted_alone(
        &self,
        app: &AppId,
        owner: &ProfileId,
    ) -> Result<Seen<Counted>, Error> {
        let (app_no, mut view) = self.view(app, Sight::Apart).await?;
        let (epoch, now) = (self.epoch.get(), self.clock.now_ms());
        counts::read_one(view.connection(), epoch, &(app_no, owner.clone()), now).await
    }

    /// Reads for all of them. Who gets no answer asks alone.
    async fn count(
        &self,
        mut connection: Connection<DB>,
        tickets: Vec<Ticket>,
    ) -> Result<(), Error> {
        let mut asked = Vec::with_capacity(tickets.len());
        let mut answers = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            let app_no = self.apps.number_on(&mut connection, &ticket.app).await?;
            if let Some(app_no) = app_no {
                asked.push((app_no, ticket.owner));
                answers.push(ticket.answer);
            }
        }
        let (epoch, now) = (self.epoch.get(), self.clock.now_ms());
        let counted = counts::read(&mut connection, epoch, &asked, now).await?;
        drop(connection);
        for (answer, counted) in answers.into_iter().zip(counted) {
            // Who does not wait any more needs none.
            let _ = answer.send(counted);
        }
        Ok(())
    }
}
