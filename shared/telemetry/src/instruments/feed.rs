//! The feed: from a change's commit to the frames of those who follow the mailbox.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

/// Lag of the feed, and the ways by which changes become known. Clones share the series.
#[derive(Debug, Clone)]
pub struct FeedMetrics {
    delivery_lag: Histogram<f64>,
    poll_duration: Histogram<f64>,
    poll_failures: Counter<u64>,
    wakeups: Counter<u64>,
}

/// Way by which a change of a followed mailbox first became known to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WakeupSource {
    /// A commit of this replica, or a notification of another.
    Notification,
    /// The poll: a notification was late or lost.
    Poll,
}

impl WakeupSource {
    /// Value of the attribute `postroom.feed.wakeup.source`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Poll => "poll",
        }
    }
}

impl FeedMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        let metrics = Self {
            delivery_lag: super::duration(
                meter,
                "postroom.feed.delivery.lag",
                "Time from a change, by the clock of the replica that made it, to its frame",
            ),
            poll_duration: super::duration(
                meter,
                "postroom.feed.poll.duration",
                "Duration of the polls for changes of followed mailboxes",
            ),
            poll_failures: super::counter(
                meter,
                "postroom.feed.poll.failures",
                "{poll}",
                "Polls that failed or timed out",
            ),
            wakeups: super::counter(
                meter,
                "postroom.feed.wakeups",
                "{change}",
                "Changes of followed mailboxes, by the way they first became known",
            ),
        };
        metrics.poll_failures.add(0, &[]);
        metrics.woken(WakeupSource::Notification, 0);
        metrics.woken(WakeupSource::Poll, 0);
        metrics
    }

    /// Records the lag of a change that was written to a stream which had caught up before.
    pub fn delivered(&self, lag: Duration) {
        self.delivery_lag.record(lag.as_secs_f64(), &[]);
    }

    /// Records a poll.
    pub fn polled(&self, elapsed: Duration, succeeded: bool) {
        self.poll_duration.record(elapsed.as_secs_f64(), &[]);
        if !succeeded {
            self.poll_failures.add(1, &[]);
        }
    }

    /// Counts mailboxes whose change became known.
    pub fn woken(&self, source: WakeupSource, mailboxes: usize) {
        let source = KeyValue::new("postroom.feed.wakeup.source", source.as_str());
        self.wakeups.add(mailboxes as u64, &[source]);
    }
}

impl Default for FeedMetrics {
    fn default() -> Self {
        Self::new()
    }
}
