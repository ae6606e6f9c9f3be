//! Metrics of streams: the kinds of their frames, and the lag of changes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::v1::event::Frame;
use storage::FeedChange;
use telemetry::FrameKind;

/// Kind of a frame.
pub const fn kind(frame: &Frame) -> FrameKind {
    match frame {
        Frame::MessageReceived(_) | Frame::MessageUpdated(_) | Frame::MessageDeleted(_) => {
            FrameKind::Change
        }
        Frame::Counts(_) => FrameKind::Counts,
        Frame::CaughtUp(_) => FrameKind::CaughtUp,
        Frame::Resync(_) => FrameKind::Resync,
        Frame::Heartbeat(_) => FrameKind::Heartbeat,
        Frame::Reconnect(_) => FrameKind::Reconnect,
    }
}

/// Time since a change, by the clock of the replica that made it; `None` for deletions, which carry
/// no time.
pub fn lag(change: &FeedChange) -> Option<Duration> {
    let (FeedChange::Received(item) | FeedChange::Updated(item)) = change else {
        return None;
    };
    let changed_ms = u64::try_from(item.entry.update_ms.0).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default();
    Some(now.saturating_sub(Duration::from_millis(changed_ms)))
}
