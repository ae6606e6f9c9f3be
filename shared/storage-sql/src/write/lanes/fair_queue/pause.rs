//! Pauses between batches with large operations of users.

use std::time::Duration;

use tokio::time::Instant;

/// Time after a small operation for which large ones pause.
const SMALL_RECENT: Duration = Duration::from_secs(1);
/// Maximum of a pause.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Pause of large operations. While small operations arrive, each batch with large ones of users is
/// followed by a pause of these that is as long as the batch took: they have half of a lane's time at
/// the most, and the database and the processors have time for others' reads and small operations.
#[derive(Default)]
pub struct Pause {
    small_queued: Option<Instant>,
    until: Option<Instant>,
}

impl Pause {
    /// Notes that a small operation was queued.
    pub fn small_queued(&mut self) {
        self.small_queued = Some(Instant::now());
    }

    /// Begins a pause after a batch that took so long, if small operations arrive.
    pub fn begin(&mut self, took: Duration) {
        let now = Instant::now();
        let arrived = self.small_queued;
        if arrived.is_some_and(|arrived| now.duration_since(arrived) <= SMALL_RECENT) {
            self.until = Some(now + took.min(PAUSE_MAX));
        }
    }

    /// Time at which the pause ends; none if there is no pause.
    pub fn until(&self) -> Option<Instant> {
        self.until.filter(|until| Instant::now() < *until)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const TOOK: Duration = Duration::from_millis(20);

    #[tokio::test(start_paused = true)]
    async fn a_pause_lasts_as_long_as_the_batch_before() {
        let mut pause = Pause::default();
        pause.small_queued();
        pause.begin(TOOK);
        assert_eq!(pause.until(), Some(Instant::now() + TOOK));
        advance(TOOK).await;
        assert_eq!(pause.until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_has_a_maximum() {
        let mut pause = Pause::default();
        pause.small_queued();
        pause.begin(Duration::from_secs(10));
        assert_eq!(pause.until(), Some(Instant::now() + PAUSE_MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn large_operations_do_not_pause_without_small_ones() {
        let mut pause = Pause::default();
        pause.begin(TOOK);
        assert_eq!(pause.until(), None);
        pause.small_queued();
        advance(SMALL_RECENT + TOOK).await;
        pause.begin(TOOK);
        assert_eq!(pause.until(), None);
    }
}
