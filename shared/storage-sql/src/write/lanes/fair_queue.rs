//! The queue of a lane, fair to apps and to the users of an app: deficit round robin on two levels.
//!
//! Each app has a queue of its own, and the apps take turns; in an app's turn its users take turns
//! in the same way, and the app itself, with its own operations, as one more of them. A turn adds a
//! quantum of entries to a deficit counter; an operation is dequeued when the counter covers its
//! cost, the entries that it touches, and is charged to it. An operation larger than a quantum is
//! reached after several turns, in which the others are served. So each app gets the same share of
//! entries, and each user of an app the same share of those, whatever the size and number of their
//! operations: a backlog of one user delays only that user.
//!
//! Large operations, on many entries, have a second set of queues: a batch takes a part's entries of
//! them, and while small ones wait, the batch after it none. Those of users pause between batches
//! while small ones arrive.
//!
//! When the queue is full, the user with most of what is exhausted, in the app with most of it,
//! loses the newest operations ([`Error::Overloaded`]), unless that is the user of the newcomer.

mod load;
mod load_index;
mod pause;
mod round_robin;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::limits::{BATCH_ENTRIES_MAX, PART_ENTRIES};
use domain::operation::Weight;
use storage::Error;
use telemetry::{LaneMetrics, QueueState};
use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::batch::{Batch, QueuedOperation, closed};
use load::Load;
use pause::Pause;
use round_robin::{Actor, ActorQueue, AppNo, OperationQueue, RoundRobin};

/// The queue of one lane.
pub struct FairQueue {
    metrics: LaneMetrics,
    queues: Mutex<Queues>,
    /// Wakes the lane after a push or a close.
    changed: Notify,
}

#[derive(Default)]
struct Queues {
    small: AppQueues,
    large: AppQueues,
    /// True if the last batch had large operations.
    had_large: bool,
    pause: Pause,
    /// Time at which a batch with large operations of users was taken, if it was the last one.
    large_taken: Option<tokio::time::Instant>,
    is_closed: bool,
}

/// The queues of apps, each with queues of its users.
#[derive(Default)]
struct AppQueues(RoundRobin<AppNo, RoundRobin<Actor, ActorQueue>>);

impl FairQueue {
    /// An empty queue.
    pub fn new(metrics: LaneMetrics) -> Self {
        Self {
            metrics,
            queues: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The state of the queue for metrics.
    pub fn state(&self) -> QueueState {
        let queues = self.lock();
        let oldest = queues.small.0.oldest();
        let oldest = oldest.into_iter().chain(queues.large.0.oldest());
        QueueState {
            operations: queues.small.0.load().operations + queues.large.0.load().operations,
            oldest_age: oldest.min().map(|queued| queued.elapsed()),
        }
    }

    /// Queues an operation.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if the queue is full and no other user has more in it;
    /// [`Error::Unavailable`] once closed.
    pub fn push(&self, operation: QueuedOperation) -> Result<(), Error> {
        let mut queues = self.lock();
        if queues.is_closed {
            return Err(closed());
        }
        let of_size = queues.of_size(&operation);
        let eviction = of_size.evict_for(&operation);
        if eviction.made_room {
            let is_large = operation.weight.is_large();
            of_size.0.push(operation);
            if !is_large {
                queues.pause.small_queued();
            }
        }
        drop(queues);
        self.changed.notify_one();
        for evicted in eviction.evicted {
            self.metrics.refused();
            evicted.refuse(Error::Overloaded);
        }
        if eviction.made_room {
            Ok(())
        } else {
            self.metrics.refused();
            Err(Error::Overloaded)
        }
    }

    /// Queues the rest of an operation. It has a place, also in a queue that is full or closed.
    pub fn push_back(&self, operation: QueuedOperation) {
        let mut queues = self.lock();
        queues.of_size(&operation).0.push(operation);
    }

    /// Waits for operations, and takes up to `operations_max` of them. None once the queue is
    /// closed and empty. The batch before has been run by then.
    pub async fn next_batch(&self, operations_max: usize) -> Option<Batch> {
        self.lock().begin_pause();
        loop {
            let (batch, paused_until, is_closed) = {
                let mut queues = self.lock();
                let batch = queues.take_batch(operations_max);
                (batch, queues.paused_until(), queues.is_closed)
            };
            if !batch.is_empty() {
                for wait in batch.waits() {
                    self.metrics.dequeued(wait);
                }
                return Some(batch);
            }
            if let Some(until) = paused_until {
                // The pause is over, or another operation has come.
                let _ = timeout_at(until, self.changed.notified()).await;
                continue;
            }
            if is_closed {
                return None;
            }
            self.changed.notified().await;
        }
    }

    /// Takes the next operation, if there is one.
    pub fn pop(&self) -> Option<QueuedOperation> {
        let mut queues = self.lock();
        let small = queues.small.pop_if(|_| true);
        small.or_else(|| queues.large.pop_if(|_| true))
    }

    /// Refuses further operations.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    /// Returns the queues of the operations of its size.
    const fn of_size(&mut self, operation: &QueuedOperation) -> &mut AppQueues {
        if operation.weight.is_large() {
            &mut self.large
        } else {
            &mut self.small
        }
    }

    /// Takes the operations of the next batch, sorted by the time at which they were queued.
    fn take_batch(&mut self, operations_max: usize) -> Batch {
        let mut batch = Batch::default();
        // Large operations first, or small ones would fill every batch; never in two batches in a
        // row, or small ones would wait for all of them.
        let is_turn = self.small.is_empty() || !self.had_large;
        if is_turn && self.paused_until().is_none() {
            self.large.fill(operations_max, PART_ENTRIES, &mut batch);
        }
        self.had_large = !batch.is_empty();
        self.small
            .fill(operations_max, BATCH_ENTRIES_MAX, &mut batch);
        batch.sort();
        self.large_taken = batch.has_large_of_users().then(tokio::time::Instant::now);
        batch
    }

    /// Begins the pause after a batch with large operations of users.
    fn begin_pause(&mut self) {
        if let Some(taken) = self.large_taken.take() {
            self.pause.begin(taken.elapsed());
        }
    }

    /// End of the pause of the large operations that wait; none if there is none, or nothing waits.
    fn paused_until(&self) -> Option<tokio::time::Instant> {
        let until = self.pause.until()?;
        (!self.large.is_empty() && !self.is_closed).then_some(until)
    }
}

/// The result of making room for an operation.
struct Eviction {
    made_room: bool,
    evicted: Vec<QueuedOperation>,
}

impl AppQueues {
    fn is_empty(&self) -> bool {
        self.0.load() == Load::default()
    }

    /// Fills a batch until it has `operations_max` operations or `entries_max` entries.
    fn fill(&mut self, operations_max: usize, entries_max: usize, batch: &mut Batch) {
        while batch.len() < operations_max {
            let fits = |weight| batch.has_room_for(weight, entries_max);
            let Some(operation) = self.pop_if(fits) else {
                break;
            };
            batch.push(operation);
        }
    }

    /// Takes the next operation; none if it does not fit, or nothing is queued. One that does not
    /// fit keeps its turn for the next batch.
    fn pop_if(&mut self, fits: impl FnOnce(Weight) -> bool) -> Option<QueuedOperation> {
        let weight = self.0.next(Instant::now())?;
        if fits(weight) { self.0.pop() } else { None }
    }

    /// Makes room for an operation.
    fn evict_for(&mut self, operation: &QueuedOperation) -> Eviction {
        let more = Load::of(operation);
        let mut eviction = Eviction {
            made_room: true,
            evicted: Vec::new(),
        };
        // Nothing is evicted unless it makes room for all that the operation needs.
        let mut exhausted = self.0.load().exhausted_by(more);
        if exhausted.any(|resource| !self.0.can_evict_for(Some(operation), resource)) {
            eviction.made_room = false;
            return eviction;
        }
        while let Some(resource) = self.0.load().exhausted_by(more).next() {
            let Some(evicted) = self.0.evict_for(Some(operation), resource) else {
                eviction.made_room = false;
                break;
            };
            eviction.evicted.push(evicted);
        }
        eviction
    }
}

#[cfg(test)]
mod tests;
