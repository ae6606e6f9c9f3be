//! The drain: no new calls, then the end of open calls, then the end of connections.

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::limits::{DRAIN_CALLS, DRAIN_CONNECTIONS};

/// Progress of the drain. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    begun: CancellationToken,
    calls_end: CancellationToken,
    cut: CancellationToken,
    serving: TaskTracker,
}

impl Drain {
    /// Waits until the drain begins and no new calls are accepted.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Waits until open calls are to be ended, [`DRAIN_CALLS`] after the beginning.
    pub async fn calls_end(&self) {
        self.calls_end.cancelled().await;
    }

    /// Waits until connections are to be cut, [`DRAIN_CONNECTIONS`] after the beginning.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Returns a token that the drain waits for until it is dropped.
    pub fn hold(&self) -> TaskTrackerToken {
        self.serving.token()
    }

    /// Runs the drain to its end. Returns whether all calls ended before [`DRAIN_CALLS`].
    pub async fn run(&self) -> bool {
        let start = Instant::now();
        self.begun.cancel();
        self.serving.close();
        let in_time = timeout_at(start + DRAIN_CALLS, self.serving.wait())
            .await
            .is_ok();
        self.calls_end.cancel();
        let _ = timeout_at(start + DRAIN_CONNECTIONS, self.serving.wait()).await;
        self.cut.cancel();
        in_time
    }
}
