//! Caches.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};

/// Hits and misses of one cache. Clones share the series.
#[derive(Debug, Clone)]
pub struct CacheMetrics {
    hits: Counter<u64>,
    misses: Counter<u64>,
    cache: KeyValue,
}

impl CacheMetrics {
    /// Instruments of a cache. `cache` is its static name, such as `message`.
    #[must_use]
    pub fn new(cache: &'static str) -> Self {
        Self::of(&super::meter(), cache)
    }

    pub(super) fn of(meter: &Meter, cache: &'static str) -> Self {
        let metrics = Self {
            hits: super::counter(
                meter,
                "postroom.cache.hits",
                "{lookup}",
                "Look-ups that the cache answered",
            ),
            misses: super::counter(
                meter,
                "postroom.cache.misses",
                "{lookup}",
                "Look-ups that the cache could not answer",
            ),
            cache: KeyValue::new("postroom.cache.name", cache),
        };
        metrics.record_all(0, 0);
        metrics
    }

    /// Counts a look-up, a hit if anything was found, and returns what was found.
    pub fn record<T>(&self, found: Option<T>) -> Option<T> {
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.add(1, self.cache());
        found
    }

    /// Counts the look-ups of a whole read at once.
    pub fn record_all(&self, hits: usize, misses: usize) {
        self.hits.add(hits as u64, self.cache());
        self.misses.add(misses as u64, self.cache());
    }

    const fn cache(&self) -> &[KeyValue] {
        std::slice::from_ref(&self.cache)
    }
}
