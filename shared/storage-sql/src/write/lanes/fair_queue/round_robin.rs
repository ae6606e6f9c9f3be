//! Deficit round robin, on as many levels as there are keys.

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Instant;

use domain::ProfileId;
use domain::operation::{Apply as _, Weight};

use super::super::batch::QueuedOperation;
use super::load::{Load, Resource};
use super::load_index::LoadIndex;
use crate::turns::Turns;

/// Entries added to a deficit counter per turn.
const QUANTUM_ENTRIES: usize = 64;

/// Operations in an order.
pub trait OperationQueue: Default {
    /// The operations in the queue.
    fn load(&self) -> Load;

    /// Time at which the oldest operation was queued.
    fn oldest(&self) -> Option<Instant>;

    /// Adds an operation.
    fn push(&mut self, operation: QueuedOperation);

    /// Weight of the next operation. Expired ones are refused on the way, and cost nothing.
    fn next(&mut self, now: Instant) -> Option<Weight>;

    /// Takes the operation that [`Self::next`] has shown.
    fn pop(&mut self) -> Option<QueuedOperation>;

    /// Returns whether [`Self::evict_for`] has an operation.
    fn can_evict_for(&self, newcomer: Option<&QueuedOperation>, resource: Resource) -> bool;

    /// Takes the newest operation of the actor with most of a resource in the app with most of
    /// it; none if that is the actor of the newcomer, or the resource is not in use.
    fn evict_for(
        &mut self,
        newcomer: Option<&QueuedOperation>,
        resource: Resource,
    ) -> Option<QueuedOperation>;
}

/// A key by which operations have queues of their own.
pub trait QueueKey: Clone + Ord + Hash {
    /// The key of an operation.
    fn of(operation: &QueuedOperation) -> Self;
}

/// The number of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppNo(i64);

impl QueueKey for AppNo {
    fn of(operation: &QueuedOperation) -> Self {
        Self(operation.app.app_no)
    }
}

/// A user of an app; none for the app itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(Option<ProfileId>);

impl QueueKey for Actor {
    fn of(operation: &QueuedOperation) -> Self {
        Self(operation.operation.action.actor().cloned())
    }
}

/// Queues by key, which take turns.
pub struct RoundRobin<K, Q> {
    /// The queues that have operations.
    turns: Turns<K, Turn<Q>>,
    by_load: LoadIndex<K>,
    load: Load,
}

/// A queue, and its turn.
#[derive(Default)]
struct Turn<Q> {
    queue: Q,
    /// The deficit counter: entries that may still be dequeued in this turn.
    deficit: usize,
    /// Time at which the latest operation was queued.
    latest: Option<Instant>,
}

impl<K, Q> Default for RoundRobin<K, Q> {
    fn default() -> Self {
        Self {
            turns: Turns::default(),
            by_load: LoadIndex::default(),
            load: Load::default(),
        }
    }
}

impl<K: QueueKey, Q: OperationQueue> RoundRobin<K, Q> {
    /// Ends the turn of a key; its counter grows for the next one.
    fn end_turn(&mut self, key: &K) {
        if let Some(turn) = self.turns.get_mut(key) {
            turn.deficit += QUANTUM_ENTRIES;
            self.turns.end_turn(key);
        }
    }

    /// Changes the queue of a key, and removes it once it is empty.
    fn change<T>(&mut self, key: &K, change: impl FnOnce(&mut Turn<Q>) -> T) -> Option<T> {
        let turn = self.turns.get_mut(key)?;
        let (load, latest) = (turn.queue.load(), turn.latest);
        let changed = change(turn);
        let after = turn.queue.load();
        if after != load {
            self.load.subtract(load);
            self.load.add(after);
            self.by_load.remove(key, load, latest);
            if after.operations > 0 {
                self.by_load.insert(key, after, turn.latest);
            } else {
                self.turns.remove(key);
            }
        }
        Some(changed)
    }

    /// Returns the key with most of a resource, the newcomer counted in: of several its own, else
    /// that with the latest operation. None if there is no operation.
    fn largest(&self, newcomer: Option<&QueuedOperation>, resource: Resource) -> Option<K> {
        let largest = self.by_load.largest(resource);
        let Some(newcomer) = newcomer else {
            return largest.map(|(key, _)| key.clone());
        };
        let own = K::of(newcomer);
        let queued = self.turns.get(&own);
        let mut with_newcomer = Load::of(newcomer);
        with_newcomer.add(queued.map_or_else(Load::default, |turn| turn.queue.load()));
        let amount = with_newcomer.of_resource(resource);
        match largest.filter(|(_, largest)| *largest > amount) {
            Some((key, _)) => Some(key.clone()),
            None => Some(own),
        }
    }
}

impl<K: QueueKey, Q: OperationQueue> OperationQueue for RoundRobin<K, Q> {
    fn load(&self) -> Load {
        self.load
    }

    fn oldest(&self) -> Option<Instant> {
        let queues = self.turns.iter();
        queues.filter_map(|(_, turn)| turn.queue.oldest()).min()
    }

    fn push(&mut self, operation: QueuedOperation) {
        let key = K::of(&operation);
        self.turns.get_or_default(&key);
        self.change(&key, |turn| {
            turn.latest = Some(operation.queued);
            turn.queue.push(operation);
        });
    }

    fn next(&mut self, now: Instant) -> Option<Weight> {
        loop {
            let key = self.turns.current()?.clone();
            let next = self.change(&key, |turn| {
                let weight = turn.queue.next(now)?;
                Some((weight, turn.deficit >= cost(weight)))
            });
            match next.flatten() {
                Some((weight, true)) => return Some(weight),
                Some((_, false)) => self.end_turn(&key),
                // All of its operations had expired.
                None => {}
            }
        }
    }

    fn pop(&mut self) -> Option<QueuedOperation> {
        let key = self.turns.current()?.clone();
        let popped = self.change(&key, |turn| {
            let operation = turn.queue.pop()?;
            turn.deficit = turn.deficit.saturating_sub(cost(operation.weight));
            Some(operation)
        });
        popped.flatten()
    }

    fn can_evict_for(&self, newcomer: Option<&QueuedOperation>, resource: Resource) -> bool {
        let Some(key) = self.largest(newcomer, resource) else {
            return false;
        };
        let newcomer = newcomer.filter(|it| K::of(it) == key);
        let largest = self.turns.get(&key);
        largest.is_some_and(|turn| turn.queue.can_evict_for(newcomer, resource))
    }

    fn evict_for(
        &mut self,
        newcomer: Option<&QueuedOperation>,
        resource: Resource,
    ) -> Option<QueuedOperation> {
        let key = self.largest(newcomer, resource)?;
        let newcomer = newcomer.filter(|it| K::of(it) == key);
        let evicted = self.change(&key, |turn| turn.queue.evict_for(newcomer, resource));
        evicted.flatten()
    }
}

/// Entries for which an operation is charged.
fn cost(weight: Weight) -> usize {
    weight.entries.max(1)
}

/// The operations of one actor, the oldest first.
#[derive(Default)]
pub struct ActorQueue {
    operations: VecDeque<QueuedOperation>,
    load: Load,
}

impl ActorQueue {
    /// Index of the newest operation that uses a resource and of which nothing is done yet.
    fn newest_of(&self, resource: Resource) -> Option<usize> {
        self.operations.iter().rposition(|operation| {
            !operation.is_begun && Load::of(operation).of_resource(resource) > 0
        })
    }
}

impl OperationQueue for ActorQueue {
    fn load(&self) -> Load {
        self.load
    }

    fn oldest(&self) -> Option<Instant> {
        self.operations.front().map(|operation| operation.queued)
    }

    fn push(&mut self, operation: QueuedOperation) {
        self.load.add(Load::of(&operation));
        self.operations.push_back(operation);
    }

    fn next(&mut self, now: Instant) -> Option<Weight> {
        loop {
            let next = self.operations.front()?;
            let Some(error) = next.expired(now) else {
                return Some(next.weight);
            };
            self.pop()?.refuse(error);
        }
    }

    fn pop(&mut self) -> Option<QueuedOperation> {
        let operation = self.operations.pop_front()?;
        self.load.subtract(Load::of(&operation));
        Some(operation)
    }

    fn can_evict_for(&self, newcomer: Option<&QueuedOperation>, resource: Resource) -> bool {
        newcomer.is_none() && self.newest_of(resource).is_some()
    }

    fn evict_for(
        &mut self,
        newcomer: Option<&QueuedOperation>,
        resource: Resource,
    ) -> Option<QueuedOperation> {
        if newcomer.is_some() {
            return None;
        }
        let index = self.newest_of(resource)?;
        let operation = self.operations.remove(index)?;
        self.load.subtract(Load::of(&operation));
        Some(operation)
    }
}

#[cfg(test)]
pub mod tests;
