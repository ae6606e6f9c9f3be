//! Refused calls in a row on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

use crate::limits::{REFUSALS_IN_A_ROW_MAX, REFUSALS_TO_CLOSE};

/// Refused calls in a row on a connection, in the extensions of its calls. Clones share them.
///
/// Refusals count if the caller caused them; calls that fail for the server's reasons do not, and
/// any other call of a caller with a token ends the row. So a proxy that carries calls of many
/// callers is not held liable for one of them.
#[derive(Debug, Clone, Default)]
pub struct RefusalStreak(Arc<Streak>);

#[derive(Debug, Default)]
struct Streak {
    refused: AtomicU32,
    exceeded: Notify,
}

impl RefusalStreak {
    /// Waits until [`REFUSALS_IN_A_ROW_MAX`] calls in a row have been refused, or, the second time,
    /// [`REFUSALS_TO_CLOSE`].
    pub async fn exceeded(&self) {
        self.0.exceeded.notified().await;
    }

    /// Counts a refused call.
    pub(crate) fn extend(&self) {
        let refused = self.0.refused.fetch_add(1, Ordering::Relaxed) + 1;
        if refused == REFUSALS_IN_A_ROW_MAX || refused == REFUSALS_TO_CLOSE {
            self.0.exceeded.notify_one();
        }
    }

    /// Ends the row.
    pub(crate) fn reset(&self) {
        self.0.refused.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_streak_is_exceeded_by_refusals_in_a_row() {
        let streak = RefusalStreak::default();
        let extend = |calls| (0..calls).for_each(|_| streak.extend());
        extend(REFUSALS_IN_A_ROW_MAX - 1);
        streak.reset();
        extend(REFUSALS_IN_A_ROW_MAX - 1);
        assert!(streak.exceeded().now_or_never().is_none());
        extend(1);
        assert!(streak.exceeded().now_or_never().is_some());
        assert!(streak.exceeded().now_or_never().is_none());
        extend(REFUSALS_TO_CLOSE - REFUSALS_IN_A_ROW_MAX);
        assert!(streak.exceeded().now_or_never().is_some());
    }
}
