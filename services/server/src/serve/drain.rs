//! The end of the service, in steps: calls go on for a while, then they are ended, then
//! connections are cut.

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::limits::{DRAIN_CALLS, DRAIN_CONNECTIONS};

/// Tells all who serve how far the end has come. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    begun: CancellationToken,
    calls_end: CancellationToken,
    cut: CancellationToken,
    serving: TaskTracker,
}

impl Drain {
    /// Until nothing new is to be begun.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Until calls are to be ended.
    pub async fn calls_end(&self) {
        self.calls_end.cancelled().await;
    }

    /// Until connections are to be cut.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Makes the drain wait for its holder.
    pub fn hold(&self) -> TaskTrackerToken {
        self.serving.token()
    }

    /// Ends everything, and answers when it has ended. `true`: all by itself.
    pub async fn run(&self) -> bool {
        let start = Instant::now();
        self.begun.cancel();
        self.serving.close();
        let alone = timeout_at(start + DRAIN_CALLS, self.serving.wait())
            .await
            .is_ok();
        self.calls_end.cancel();
        let _ = timeout_at(start + DRAIN_CONNECTIONS, self.serving.wait()).await;
        self.cut.cancel();
        alone
    }
}
