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
        metrics.looked_up(0, 0);
        metrics
    }

    /// Counts a hit.
    pub fn hit(&self) {
        self.hits.add(1, self.cache());
    }

    /// Counts a miss.
    pub fn miss(&self) {
        self.misses.add(1, self.cache());
    }

    /// Counts the look-ups of a whole read at once.
    pub fn looked_up(&self, hits: usize, misses: usize) {
        self.hits.add(hits as u64, self.cache());
        self.misses.add(misses as u64, self.cache());
    }

    const fn cache(&self) -> &[KeyValue] {
        std::slice::from_ref(&self.cache)
    }
}
