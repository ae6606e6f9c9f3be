//! The queue of a lane, fair to apps: deficit round robin.
//!
//! Each app has a queue of its own, and the apps take turns. A turn adds a quantum of
//! [`QUANTUM_ENTRIES`] to the app's deficit counter; an operation is dequeued when the counter
//! covers its cost, the entries that it touches, and is charged to it. An operation larger than
//! a quantum is reached after several turns, in which the other apps are served. So each app
//! gets the same share of entries, whatever the size and number of its operations, and an app
//! that sends much waits behind itself.
//!
//! Large operations, on many mailboxes, have a second set of queues: a batch takes a bounded
//! number of their entries while small ones wait, and the batch after it none.
//!
//! When the queue is full, the app with the most of what is exhausted loses its newest
//! operations ([`Error::Overloaded`]), unless the newcomer's own app has the most.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::limits::{BATCH_ENTRIES_MAX, QUEUED_BYTES_MAX, QUEUED_OPERATIONS_MAX};
use storage::Error;
use telemetry::{LaneMetrics, QueueState};
use tokio::sync::Notify;

use super::batch::{Batch, QueuedOperation, closed};

/// Entries added to an app's deficit counter per turn.
const QUANTUM_ENTRIES: usize = 64;
/// Entries of large operations in a batch while small operations wait.
const LARGE_ENTRIES_MAX: usize = 500;

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
    is_closed: bool,
}

/// The queues of the apps that have something queued.
#[derive(Default)]
struct AppQueues {
    by_app: HashMap<i64, AppQueue>,
    /// The apps in the order of their turns, the current one first.
    turns: VecDeque<i64>,
    load: Load,
}

/// The operations of one app, the oldest first.
#[derive(Default)]
struct AppQueue {
    operations: VecDeque<QueuedOperation>,
    load: Load,
    /// The deficit counter: entries that the app may still dequeue in its turn.
    deficit: usize,
}

/// The operations in a queue, and the bytes of their contents.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    operations: usize,
    bytes: usize,
}

/// A bounded part of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    /// Bounded by [`QUEUED_OPERATIONS_MAX`].
    Operations,
    /// Bounded by [`QUEUED_BYTES_MAX`].
    Bytes,
}

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
        let oldest = queues
            .small
            .oldest()
            .into_iter()
            .chain(queues.large.oldest());
        QueueState {
            operations: queues.small.load.operations + queues.large.load.operations,
            oldest_age: oldest.min().map(|queued| queued.elapsed()),
        }
    }

    /// Queues an operation.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if the queue is full and no other app has more in it;
    /// [`Error::Unavailable`] once closed.
    pub fn push(&self, operation: QueuedOperation) -> Result<(), Error> {
        let mut queues = self.lock();
        if queues.is_closed {
            return Err(closed());
        }
        let of_size = queues.of_size(&operation);
        let eviction = of_size.evict_for(&operation);
        if eviction.made_room {
            of_size.push(operation);
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
        queues.of_size(&operation).push(operation);
    }

    /// Waits for operations, and takes up to `operations_max` of them. None once the queue is
    /// closed and empty.
    pub async fn next_batch(&self, operations_max: usize) -> Option<Batch> {
        loop {
            let (batch, is_closed) = {
                let mut queues = self.lock();
                (queues.take_batch(operations_max), queues.is_closed)
            };
            if !batch.is_empty() {
                for wait in batch.waits() {
                    self.metrics.dequeued(wait);
                }
                return Some(batch);
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

/// The result of making room for an operation.
struct Eviction {
    made_room: bool,
    evicted: Vec<QueuedOperation>,
}

impl AppQueues {
    const fn is_empty(&self) -> bool {
        self.load.operations == 0
    }

    /// Time at which the oldest operation was queued.
    fn oldest(&self) -> Option<Instant> {
        let fronts = self
            .by_app
            .values()
            .filter_map(|queue| queue.operations.front());
        fronts.map(|operation| operation.queued).min()
    }

    /// Fills a batch until it has `operations_max` operations or `entries_max` entries.
    fn fill(&mut self, operations_max: usize, entries_max: usize, batch: &mut Batch) {
        while batch.len() < operations_max && batch.entries() < entries_max {
            let Some(operation) = self.pop_if(|operation| batch.has_room_for(operation)) else {
                break;
            };
            batch.push(operation);
        }
    }

    fn push(&mut self, operation: QueuedOperation) {
        let app_no = operation.app.app_no;
        let load = Load::of(&operation);
        let queue = match self.by_app.entry(app_no) {
            Entry::Occupied(queue) => queue.into_mut(),
            Entry::Vacant(queue) => {
                self.turns.push_back(app_no);
                queue.insert(AppQueue::default())
            }
        };
        queue.operations.push_back(operation);
        queue.load.add(load);
        self.load.add(load);
    }

    /// Takes the next operation by deficit round robin; none if it does not fit or nothing is
    /// queued. Expired operations are refused on the way, and cost nothing.
    fn pop_if(&mut self, fits: impl FnOnce(&QueuedOperation) -> bool) -> Option<QueuedOperation> {
        let now = Instant::now();
        loop {
            let app_no = *self.turns.front()?;
            let queue = self.by_app.get_mut(&app_no)?;
            let next = queue.operations.front()?;
            if let Some(error) = next.expired(now) {
                self.pop_front(app_no)?.refuse(error);
                continue;
            }
            let cost = next.weight.entries.max(1);
            if queue.deficit < cost {
                // The turn ends; the counter grows for the next one.
                queue.deficit += QUANTUM_ENTRIES;
                self.turns.rotate_left(1);
                continue;
            }
            if !fits(next) {
                // The app keeps its turn and its counter for the next batch.
                return None;
            }
            queue.deficit -= cost;
            return self.pop_front(app_no);
        }
    }

    /// Takes the oldest operation of the app whose turn it is.
    fn pop_front(&mut self, app_no: i64) -> Option<QueuedOperation> {
        let queue = self.by_app.get_mut(&app_no)?;
        let operation = queue.operations.pop_front()?;
        if queue.operations.is_empty() {
            self.turns.pop_front();
        }
        self.unload(app_no, &operation);
        Some(operation)
    }

    /// Makes room for an operation: evicts the newest operations of the apps that have more of
    /// what is exhausted than the operation's app would have.
    fn evict_for(&mut self, operation: &QueuedOperation) -> Eviction {
        let load = Load::of(operation);
        let mut eviction = Eviction {
            made_room: true,
            evicted: Vec::new(),
        };
        // Nothing is evicted unless it makes room for all that the operation needs.
        let mut exhausted = self.exhausted_by(load);
        if exhausted.any(|resource| self.largest_app(operation, resource).is_none()) {
            eviction.made_room = false;
            return eviction;
        }
        while let Some(resource) = self.exhausted_by(load).next() {
            let app_no = self.largest_app(operation, resource);
            let newest = app_no.and_then(|app_no| self.pop_newest(app_no, resource));
            let Some(newest) = newest else {
                eviction.made_room = false;
                break;
            };
            eviction.evicted.push(newest);
        }
        eviction
    }

    /// Returns the resources that `more` would exhaust.
    fn exhausted_by(&self, more: Load) -> impl Iterator<Item = Resource> + use<> {
        let operations = self.load.operations + more.operations > QUEUED_OPERATIONS_MAX;
        let bytes = self.load.bytes + more.bytes > QUEUED_BYTES_MAX;
        let operations = operations.then_some(Resource::Operations);
        operations
            .into_iter()
            .chain(bytes.then_some(Resource::Bytes))
    }

    /// Returns the app that has most of a resource, if that is more than the operation's own
    /// app would have with it.
    fn largest_app(&self, operation: &QueuedOperation, resource: Resource) -> Option<i64> {
        let own = self.by_app.get(&operation.app.app_no);
        let own = own.map_or(0, |queue| queue.load.of_resource(resource))
            + Load::of(operation).of_resource(resource);
        let load = |queue: &AppQueue| queue.load.of_resource(resource);
        let largest = self.by_app.iter().max_by_key(|(_, queue)| load(queue));
        let larger = largest.filter(|(_, queue)| load(queue) > own);
        larger.map(|(app_no, _)| *app_no)
    }

    /// Takes the newest operation of an app that uses a resource.
    fn pop_newest(&mut self, app_no: i64, resource: Resource) -> Option<QueuedOperation> {
        let queue = self.by_app.get_mut(&app_no)?;
        let uses = |operation: &QueuedOperation| Load::of(operation).of_resource(resource) > 0;
        let index = queue.operations.iter().rposition(uses)?;
        let operation = queue.operations.remove(index)?;
        if queue.operations.is_empty() {
            self.turns.retain(|turn| *turn != app_no);
        }
        self.unload(app_no, &operation);
        Some(operation)
    }

    fn unload(&mut self, app_no: i64, operation: &QueuedOperation) {
        let load = Load::of(operation);
        self.load.subtract(load);
        if let Entry::Occupied(mut queue) = self.by_app.entry(app_no) {
            queue.get_mut().load.subtract(load);
            if queue.get().operations.is_empty() {
                queue.remove();
            }
        }
    }
}

impl Load {
    const fn of(operation: &QueuedOperation) -> Self {
        Self {
            operations: 1,
            bytes: operation.weight.bytes,
        }
    }

    const fn of_resource(self, resource: Resource) -> usize {
        match resource {
            Resource::Operations => self.operations,
            Resource::Bytes => self.bytes,
        }
    }

    const fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
    }

    const fn subtract(&mut self, other: Self) {
        self.operations -= other.operations;
        self.bytes -= other.bytes;
    }
}
