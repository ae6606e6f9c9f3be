//! Streams of `Subscribe`.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter, UpDownCounter};

/// Open streams, their frames and the reasons of their ends. Clones share the series.
#[derive(Debug, Clone)]
pub struct StreamMetrics {
    open: UpDownCounter<i64>,
    ended: Counter<u64>,
    frames: Counter<u64>,
}

/// Reason of a stream's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The client closed it or lost its connection.
    ClientGone,
    /// The client read nothing for too long while its send buffer was full.
    SlowReader,
    /// The stream reached its maximum age; the client is sent to reconnect.
    MaxAge,
    /// The client's token expired.
    TokenExpired,
    /// The client's token was revoked.
    TokenRevoked,
    /// The server is draining; the client is sent to reconnect.
    Draining,
    /// The mailbox has another number since the database was restored.
    MailboxReplaced,
    /// The store failed.
    Failed,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::ClientGone,
        Self::SlowReader,
        Self::MaxAge,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::Draining,
        Self::MailboxReplaced,
        Self::Failed,
    ];

    /// Value of the attribute `postroom.stream.end.reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientGone => "client_gone",
            Self::SlowReader => "slow_reader",
            Self::MaxAge => "max_age",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::Draining => "draining",
            Self::MailboxReplaced => "mailbox_replaced",
            Self::Failed => "failed",
        }
    }
}

/// Kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// An entry was created, updated or deleted.
    Change,
    /// The counts of the boxes.
    Counts,
    /// Everything before has been sent.
    CaughtUp,
    /// The client must read its boxes again.
    Resync,
    /// A sign of life.
    Heartbeat,
    /// The client must reconnect.
    Reconnect,
}

impl FrameKind {
    /// Value of the attribute `postroom.frame.kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Counts => "counts",
            Self::CaughtUp => "caught_up",
            Self::Resync => "resync",
            Self::Heartbeat => "heartbeat",
            Self::Reconnect => "reconnect",
        }
    }
}

impl StreamMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        let metrics = Self {
            open: super::up_down_counter(
                meter,
                "postroom.stream.open",
                "{stream}",
                "Streams of Subscribe that are open",
            ),
            ended: super::counter(
                meter,
                "postroom.stream.ended",
                "{stream}",
                "Streams of Subscribe that ended, by reason",
            ),
            frames: super::counter(
                meter,
                "postroom.stream.frames",
                "{frame}",
                "Frames written to streams of Subscribe, by kind",
            ),
        };
        metrics.open.add(0, &[]);
        for reason in EndReason::ALL {
            metrics.count_end(reason, 0);
        }
        metrics
    }

    /// Counts a stream as open until the result is dropped.
    #[must_use]
    pub fn opened(&self) -> OpenStream {
        self.open.add(1, &[]);
        OpenStream {
            metrics: self.clone(),
            end: EndReason::ClientGone,
        }
    }

    /// Counts a frame that was written.
    pub fn frame(&self, kind: FrameKind) {
        let kind = KeyValue::new("postroom.frame.kind", kind.as_str());
        self.frames.add(1, &[kind]);
    }

    fn count_end(&self, reason: EndReason, streams: u64) {
        let reason = KeyValue::new("postroom.stream.end.reason", reason.as_str());
        self.ended.add(streams, &[reason]);
    }
}

impl Default for StreamMetrics {
    fn default() -> Self {
        Self::new()
    }
}

/// An open stream. Its end is counted when this is dropped, as [`EndReason::ClientGone`] unless
/// another reason was set.
#[derive(Debug)]
pub struct OpenStream {
    metrics: StreamMetrics,
    end: EndReason,
}

impl OpenStream {
    /// Sets the reason of the end.
    pub const fn ends(&mut self, reason: EndReason) {
        self.end = reason;
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.metrics.open.add(-1, &[]);
        self.metrics.count_end(self.end, 1);
    }
}
