//! Lag of changes on their way to a stream.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storage::FeedChange;

/// Time since a change, by the clock of the replica that made it; none for deletions, which carry
/// no time.
pub fn of(change: &FeedChange) -> Option<Duration> {
    let (FeedChange::Received(item) | FeedChange::Updated(item)) = change else {
        return None;
    };
    let changed_ms = u64::try_from(item.entry.update_ms.0).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default();
    Some(now.saturating_sub(Duration::from_millis(changed_ms)))
}
