//! Turns: values by key, in a circle.

use std::collections::BTreeMap;

/// Values by key that take turns.
pub struct Turns<K, V> {
    /// The values with the numbers of their turns. Few at a time: those with something to do.
    by_key: BTreeMap<K, (u64, V)>,
    /// The keys by the number of their turn, the current one first.
    order: BTreeMap<u64, K>,
    /// The last number given out.
    last: u64,
}

impl<K, V> Default for Turns<K, V> {
    fn default() -> Self {
        Self {
            by_key: BTreeMap::new(),
            order: BTreeMap::new(),
            last: 0,
        }
    }
}

impl<K: Clone + Ord, V> Turns<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.by_key.get(key).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.by_key.get_mut(key).map(|(_, value)| value)
    }

    /// Returns the value of a key; a new key has the last turn.
    pub fn get_or_default(&mut self, key: &K) -> &mut V
    where
        V: Default,
    {
        if !self.by_key.contains_key(key) {
            self.last += 1;
            self.order.insert(self.last, key.clone());
        }
        let entry = self.by_key.entry(key.clone());
        &mut entry.or_insert_with(|| (self.last, V::default())).1
    }

    pub fn remove(&mut self, key: &K) {
        if let Some((number, _)) = self.by_key.remove(key) {
            self.order.remove(&number);
        }
    }

    /// The key whose turn it is.
    pub fn current(&self) -> Option<&K> {
        self.order.first_key_value().map(|(_, key)| key)
    }

    /// Gives a key the last turn.
    pub fn end_turn(&mut self, key: &K) {
        if let Some((number, _)) = self.by_key.get_mut(key) {
            self.order.remove(number);
            self.last += 1;
            *number = self.last;
            self.order.insert(self.last, key.clone());
        }
    }

    /// The values in the order of their turns.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let keys = self.order.values();
        keys.filter_map(|key| Some((key, self.get(key)?)))
    }
}
