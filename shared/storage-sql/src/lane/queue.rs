//! The way into a lane: a line for each app, and the lines take turns.
//!
//! Whoever asks for much waits behind what they asked for themselves. When there is no more
//! room, whoever has most in the queue gives way. Operations that touch many mailboxes have
//! lines of their own.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::limits::{BATCH_ENTRIES_MAX, QUEUED_BYTES_MAX, QUEUED_OPERATIONS_MAX};
use storage::Error;
use tokio::sync::Notify;

use super::batch::{Batch, Ticket};
use super::closed;

/// Entries that an app may touch in a turn.
const TURN_ENTRIES: usize = 64;
/// Entries from which on a batch takes no more large operations, while small ones wait.
const LARGE_ENTRIES_MAX: usize = 500;

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
    /// Entries that its turns are still good for.
    credit: usize,
}

/// Something that there may be too much of.
type Scarce = fn(&Load) -> usize;

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
        let lines = if ticket.weight.is_large() {
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

    /// The next one, if there is one.
    pub fn next(&self) -> Option<Ticket> {
        let mut waiting = self.waiting();
        let small = waiting.small.pop_if(|_| true);
        small.or_else(|| waiting.large.pop_if(|_| true))
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
    /// As many as may go together, in the order in which they came. While small ones wait, large
    /// ones touch a bounded number of entries, and those after a batch that had some none at all:
    /// who asks for little waits for large ones once.
    fn take(&mut self, operations_max: usize) -> Batch {
        let mut batch = Batch::default();
        if self.small.is_empty() {
            self.large
                .fill(operations_max, BATCH_ENTRIES_MAX, &mut batch);
        } else if !self.had_large {
            self.large
                .fill(operations_max, LARGE_ENTRIES_MAX, &mut batch);
        }
        self.had_large = !batch.is_empty();
        self.small
            .fill(operations_max, BATCH_ENTRIES_MAX, &mut batch);
        batch.sort();
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

    /// Fills a batch up to so many operations, and until it has so many entries.
    fn fill(&mut self, operations_max: usize, entries_max: usize, batch: &mut Batch) {
        while batch.len() < operations_max && batch.entries() < entries_max {
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

    /// Takes the oldest of the app whose turn it is. A turn is good for so many entries; for what
    /// is larger, several are saved up. What is over takes no turn, and no place in a batch.
    fn pop_if(&mut self, fits: impl FnOnce(&Ticket) -> bool) -> Option<Ticket> {
        let now = Instant::now();
        loop {
            let app_no = *self.turns.front()?;
            let line = self.of_apps.get_mut(&app_no)?;
            let next = line.tickets.front()?;
            if let Some(error) = next.is_over(now) {
                self.pop(app_no)?.refuse(error);
                continue;
            }
            let cost = next.weight.entries.max(1);
            if line.credit < cost {
                line.credit += TURN_ENTRIES;
                self.turns.rotate_left(1);
                continue;
            }
            if !fits(next) {
                return None;
            }
            line.credit -= cost;
            return self.pop(app_no);
        }
    }

    /// The oldest of the app whose turn it is.
    fn pop(&mut self, app_no: i64) -> Option<Ticket> {
        let line = self.of_apps.get_mut(&app_no)?;
        let ticket = line.tickets.pop_front()?;
        if line.tickets.is_empty() {
            self.turns.pop_front();
        }
        self.took(app_no, &ticket);
        Some(ticket)
    }

    /// Makes room at the cost of those who have more of what is scarce, even then: their
    /// newest ones give way.
    fn make_room_for(&mut self, ticket: &Ticket) -> Room {
        let load = Load::of(ticket);
        let mut room = Room {
            is_made: true,
            gave_way: Vec::new(),
        };
        let nobody_has_more = |lines: &Self, scarce| lines.who_has_more(ticket, scarce).is_none();
        if self
            .scarce_with(load)
            .any(|scarce| nobody_has_more(self, scarce))
        {
            room.is_made = false;
            return room;
        }
        while let Some(scarce) = self.scarce_with(load).next() {
            let app_no = self.who_has_more(ticket, scarce);
            let newest = app_no.and_then(|app_no| self.drop_newest(app_no, scarce));
            let Some(newest) = newest else {
                room.is_made = false;
                break;
            };
            room.gave_way.push(newest);
        }
        room
    }

    /// What there would be too much of.
    fn scarce_with(&self, more: Load) -> impl Iterator<Item = Scarce> + use<> {
        let all = self.load;
        let operations = all.operations + more.operations > QUEUED_OPERATIONS_MAX;
        let bytes = all.bytes + more.bytes > QUEUED_BYTES_MAX;
        let operations = operations.then_some((|load| load.operations) as Scarce);
        let bytes = bytes.then_some((|load| load.bytes) as Scarce);
        operations.into_iter().chain(bytes)
    }

    /// The app that has most of it, if that is more than the ticket's would have.
    fn who_has_more(&self, ticket: &Ticket, scarce: Scarce) -> Option<i64> {
        let own = self.of_apps.get(&ticket.app.app_no);
        let own = own.map_or(0, |line| scarce(&line.load)) + scarce(&Load::of(ticket));
        let most = self
            .of_apps
            .iter()
            .max_by_key(|(_, line)| scarce(&line.load));
        let more = most.filter(|(_, line)| scarce(&line.load) > own);
        more.map(|(app_no, _)| *app_no)
    }

    fn drop_newest(&mut self, app_no: i64, scarce: Scarce) -> Option<Ticket> {
        let line = self.of_apps.get_mut(&app_no)?;
        let has_some = |ticket: &Ticket| scarce(&Load::of(ticket)) > 0;
        let ticket = line
            .tickets
            .remove(line.tickets.iter().rposition(has_some)?)?;
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
            bytes: ticket.weight.bytes,
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
}
