//! Ends of a stream.

use std::time::Instant;

use proto::v1;
use proto::v1::event::Frame;
use rpc::RpcError;
use storage::FeedStart;
use telemetry::{EndReason, FrameKind};
use tokio::time::sleep_until;

use super::StreamTask;
use crate::subscribe::send_buffer::{Outgoing, SendError};

/// Times at which a stream ends.
pub struct StreamDeadlines {
    /// Time at which the stream reaches its maximum age.
    pub max_age: Instant,
    /// Expiry of the subscriber's token; none if it never expires.
    pub token_expiry: Option<Instant>,
}

/// Reason for the end of a stream.
pub(super) enum StreamEnd {
    /// The subscriber has disconnected.
    Disconnected,
    /// The subscriber is asked to reconnect.
    Reconnect,
    /// The stream ends with an error.
    Failed(RpcError),
}

impl From<SendError> for StreamEnd {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Disconnected => Self::Disconnected,
            SendError::SlowReader => Self::Failed(RpcError::SlowReader),
        }
    }
}

impl From<storage::Error> for StreamEnd {
    fn from(error: storage::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl StreamDeadlines {
    /// Returns the earliest deadline.
    pub(super) fn first(&self) -> Instant {
        self.token_expiry
            .map_or(self.max_age, |expiry| expiry.min(self.max_age))
    }
}

impl StreamTask {
    /// Reason of an end, for metrics.
    pub(super) fn end_reason(&self, end: &StreamEnd) -> EndReason {
        match end {
            StreamEnd::Disconnected => EndReason::ClientGone,
            StreamEnd::Failed(RpcError::SlowReader) => EndReason::SlowReader,
            StreamEnd::Failed(RpcError::CredentialsExpired) => EndReason::TokenExpired,
            StreamEnd::Failed(RpcError::CredentialsRevoked) => EndReason::TokenRevoked,
            StreamEnd::Failed(_) => EndReason::Failed,
            StreamEnd::Reconnect if self.subscription.is_draining() => EndReason::Draining,
            StreamEnd::Reconnect if self.deadlines.max_age <= Instant::now() => EndReason::MaxAge,
            StreamEnd::Reconnect => EndReason::MailboxReplaced,
        }
    }

    /// Fails if the stream has to end now.
    pub(super) fn check_end(&self) -> Result<(), StreamEnd> {
        let now = Instant::now();
        if self.deadlines.token_expiry.is_some_and(|at| at <= now) {
            return Err(StreamEnd::Failed(RpcError::CredentialsExpired));
        }
        if self.deadlines.max_age <= now || self.subscription.is_draining() {
            return Err(StreamEnd::Reconnect);
        }
        Ok(())
    }

    /// Waits for the subscriber, unless the stream has to end before.
    pub(super) async fn unless_ended<T>(
        &self,
        sent: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, StreamEnd> {
        tokio::select! {
            biased;
            sent = sent => Ok(sent?),
            end = self.ended() => Err(end),
        }
    }

    async fn ended(&self) -> StreamEnd {
        tokio::select! {
            () = sleep_until(self.deadlines.first().into()) => {}
            () = self.subscription.drain_begun() => {}
        }
        self.check_end().err().unwrap_or(StreamEnd::Reconnect)
    }

    /// Sends the last frame, which asks the subscriber to reconnect.
    pub(super) fn send_reconnect(&self) -> Result<(), RpcError> {
        let FeedStart::After(position) = self.reader.since else {
            // Nothing was sent yet, so the subscriber has no cursor to resume from.
            return Err(RpcError::Draining);
        };
        let after_ms = self.streams.timing.reconnect_after_ms();
        let frame = Frame::Reconnect(v1::Reconnect { after_ms });
        self.buffer.send_last(
            Outgoing::Frame(FrameKind::Reconnect, Box::new(frame)),
            position,
        );
        Ok(())
    }
}
