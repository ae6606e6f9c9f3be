//! An index of queues by their load.

use std::collections::BTreeSet;
use std::time::Instant;

use super::load::{Load, Resource};

/// The keys of queues in the order of each resource that they use; of those that use as much, the
/// one with the latest operation is last.
pub struct LoadIndex<K> {
    by_operations: BTreeSet<(usize, Option<Instant>, K)>,
    by_bytes: BTreeSet<(usize, Option<Instant>, K)>,
}

impl<K> Default for LoadIndex<K> {
    fn default() -> Self {
        Self {
            by_operations: BTreeSet::new(),
            by_bytes: BTreeSet::new(),
        }
    }
}

impl<K: Clone + Ord> LoadIndex<K> {
    /// Adds a queue whose latest operation was queued at `latest`.
    pub fn insert(&mut self, key: &K, load: Load, latest: Option<Instant>) {
        let entry = |amount| (amount, latest, key.clone());
        self.by_operations.insert(entry(load.operations));
        self.by_bytes.insert(entry(load.bytes));
    }

    /// Removes a queue that was added so.
    pub fn remove(&mut self, key: &K, load: Load, latest: Option<Instant>) {
        let entry = |amount| (amount, latest, key.clone());
        self.by_operations.remove(&entry(load.operations));
        self.by_bytes.remove(&entry(load.bytes));
    }

    /// Returns the queue with most of a resource, and how much it has.
    pub fn largest(&self, resource: Resource) -> Option<(&K, usize)> {
        let index = match resource {
            Resource::Operations => &self.by_operations,
            Resource::Bytes => &self.by_bytes,
        };
        index.last().map(|(amount, _, key)| (key, *amount))
    }
}
