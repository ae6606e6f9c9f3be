//! The drain: an announcement, no new calls, the end of open calls, the end of connections.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::limits::DRAIN_CONNECTIONS;

/// Progress of the drain. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    announced: CancellationToken,
    begun: CancellationToken,
    calls_end: CancellationToken,
    cut: CancellationToken,
    serving: TaskTracker,
}

impl Drain {
    /// Makes the replica not ready, while it accepts calls as before.
    pub fn announce(&self) {
        self.announced.cancel();
    }

    pub fn is_announced(&self) -> bool {
        self.announced.is_cancelled()
    }

    /// Waits until the drain begins and no new calls are accepted.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Waits until open calls are to be ended.
    pub async fn calls_end(&self) {
        self.calls_end.cancelled().await;
    }

    /// Waits until connections are to be cut, [`DRAIN_CONNECTIONS`] after the end of calls.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Returns a token that the drain waits for until it is dropped.
    pub fn hold(&self) -> TaskTrackerToken {
        self.serving.token()
    }

    /// Runs the drain to its end. Open calls have `calls` to end. Returns whether all did.
    pub async fn run(&self, calls: Duration) -> bool {
        let calls_deadline = Instant::now() + calls;
        self.announce();
        self.begun.cancel();
        self.serving.close();
        let in_time = timeout_at(calls_deadline, self.serving.wait())
            .await
            .is_ok();
        self.calls_end.cancel();
        let _ = timeout_at(calls_deadline + DRAIN_CONNECTIONS, self.serving.wait()).await;
        self.cut.cancel();
        in_time
    }
}
