//! The way into a lane: a line for each app, and the lines take turns.
//!
//! Whoever asks for much waits behind what they asked for themselves. When there is no more
//! room, whoever has most in the queue gives way. Operations that touch many mailboxes have
//! lines of their own.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::limits::{QUEUED_BYTES_MAX, QUEUED_OPERATIONS_MAX};
use storage::Error;
use tokio::sync::Notify;

use super::batch::{Batch, Ticket};
use super::closed;

/// A queue that one lane empties.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    small: Lines,
    large: Lines,
    /// Whether the last batch had a large one.
    had_large: bool,
    is_closed: bool,
}

#[derive(Default)]
struct Lines {
    of_apps: HashMap<i64, Line>,
    /// The apps that have a line, the next one first.
    turns: VecDeque<i64>,
    load: Load,
}

/// What waits for one app, the oldest first.
#[derive(Default)]
struct Line {
    tickets: VecDeque<Ticket>,
    load: Load,
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    operations: usize,
    /// Of content.
    bytes: usize,
}

impl Queue {
    /// Puts a ticket at the end of its app's line.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if there is no room, and no other app has more in the queue.
    pub fn put(&self, ticket: Ticket) -> Result<(), Error> {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Err(closed());
        }
        let lines = if ticket.operation.weight().is_large() {
            &mut waiting.large
        } else {
            &mut waiting.small
        };
        let room = lines.make_room_for(&ticket);
        if room.is_made {
            lines.push(ticket);
        }
        drop(waiting);
        self.filled.notify_one();
        for ticket in room.gave_way {
            ticket.refuse(Error::Overloaded);
        }
        if room.is_made {
            Ok(())
        } else {
            Err(Error::Overloaded)
        }
    }

    /// What goes into the next transaction, once there is something. None: there will be
    /// nothing.
    pub async fn batch(&self, operations_max: usize) -> Option<Batch> {
        loop {
            let (batch, is_closed) = {
                let mut waiting = self.waiting();
                (waiting.take(operations_max), waiting.is_closed)
            };
            if !batch.is_empty() {
                return Some(batch);
            }
            if is_closed {
                return None;
            }
            self.filled.notified().await;
        }
    }

    /// Takes nothing more.
    pub fn close(&self) {
        self.waiting().is_closed = true;
        self.filled.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// As many as may go together. While small ones wait there is one large one among them at
    /// most, and none after a batch that had one: who asks for little waits for one large one,
    /// and not for the next as well.
    fn take(&mut self, operations_max: usize) -> Batch {
        let mut batch = Batch::default();
        if !self.had_large || self.small.is_empty() {
            self.large.take(1, &mut batch);
        }
        self.had_large = !batch.is_empty();
        self.small.take(operations_max, &mut batch);
        if self.small.is_empty() && self.had_large {
            self.large.take(operations_max, &mut batch);
        }
        batch
    }
}

/// Whether there is room now, and who gave way for it.
struct Room {
    is_made: bool,
    gave_way: Vec<Ticket>,
}

impl Lines {
    const fn is_empty(&self) -> bool {
        self.load.operations == 0
    }

    /// Fills a batch up to so many.
    fn take(&mut self, operations_max: usize, batch: &mut Batch) {
        while batch.len() < operations_max {
            let Some(ticket) = self.pop_if(|ticket| batch.has_room_for(ticket)) else {
                break;
            };
            batch.add(ticket);
        }
    }

    fn push(&mut self, ticket: Ticket) {
        let app_no = ticket.app.app_no;
        let load = Load::of(&ticket);
        let line = match self.of_apps.entry(app_no) {
            Entry::Occupied(line) => line.into_mut(),
            Entry::Vacant(line) => {
                self.turns.push_back(app_no);
                line.insert(Line::default())
            }
        };
        line.tickets.push_back(ticket);
        line.load.add(load);
        self.load.add(load);
    }

    /// Takes the oldest of the app whose turn it is, which is the last one then.
    fn pop_if(&mut self, fits: impl FnOnce(&Ticket) -> bool) -> Option<Ticket> {
        let app_no = *self.turns.front()?;
        let line = self.of_apps.get_mut(&app_no)?;
        if !fits(line.tickets.front()?) {
            return None;
        }
        let ticket = line.tickets.pop_front()?;
        self.turns.pop_front();
        if !line.tickets.is_empty() {
            self.turns.push_back(app_no);
        }
        self.took(app_no, &ticket);
        Some(ticket)
    }

    /// Makes room at the cost of those who have more of what is scarce, even then: their
    /// newest ones give way.
    fn make_room_for(&mut self, ticket: &Ticket) -> Room {
        let mut gave_way = Vec::new();
        let load = Load::of(ticket);
        loop {
            let Some(scarce) = self.load.scarce_with(load) else {
                return Room {
                    is_made: true,
                    gave_way,
                };
            };
            let own = self.of_apps.get(&ticket.app.app_no);
            let own = scarce(&own.map(|line| line.load).unwrap_or_default()) + scarce(&load);
            let most = self
                .of_apps
                .iter()
                .max_by_key(|(_, line)| scarce(&line.load));
            let most = most.filter(|(_, line)| scarce(&line.load) > own);
            let newest = most
                .map(|(app_no, _)| *app_no)
                .and_then(|app_no| self.drop_newest(app_no));
            match newest {
                Some(newest) => gave_way.push(newest),
                None => {
                    return Room {
                        is_made: false,
                        gave_way,
                    };
                }
            }
        }
    }

    fn drop_newest(&mut self, app_no: i64) -> Option<Ticket> {
        let line = self.of_apps.get_mut(&app_no)?;
        let ticket = line.tickets.pop_back()?;
        if line.tickets.is_empty() {
            self.turns.retain(|turn| *turn != app_no);
        }
        self.took(app_no, &ticket);
        Some(ticket)
    }

    fn took(&mut self, app_no: i64, ticket: &Ticket) {
        let load = Load::of(ticket);
        self.load.subtract(load);
        if let Entry::Occupied(mut line) = self.of_apps.entry(app_no) {
            line.get_mut().load.subtract(load);
            if line.get().tickets.is_empty() {
                line.remove();
            }
        }
    }
}

impl Load {
    fn of(ticket: &Ticket) -> Self {
        Self {
            operations: 1,
            bytes: ticket.operation.weight().bytes,
        }
    }

    fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
    }

    fn subtract(&mut self, other: Self) {
        self.operations -= other.operations;
        self.bytes -= other.bytes;
    }

    /// What there would be too much of.
    fn scarce_with(&self, more: Self) -> Option<fn(&Self) -> usize> {
        if self.operations + more.operations > QUEUED_OPERATIONS_MAX {
            Some(|load| load.operations)
        } else if self.bytes + more.bytes > QUEUED_BYTES_MAX {
            Some(|load| load.bytes)
        } else {
            None
        }
    }
}
