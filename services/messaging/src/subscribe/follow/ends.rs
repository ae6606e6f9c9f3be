//! How a stream ends.

use std::time::Instant;

use proto::v1;
use proto::v1::event::Frame;
use rpc::RpcError;
use storage::FeedStart;
use tokio::time::sleep_until;

use super::Follower;
use crate::subscribe::outlet::{Blocked, Told};

/// When a stream ends by itself.
pub struct Ends {
    pub life: Instant,
    pub token: Option<Instant>,
}

/// Why a stream ends.
pub(super) enum End {
    /// Its reader has gone.
    Gone,
    /// It is over: the reader is to come again.
    Reconnect,
    /// As the reader is told.
    Failed(RpcError),
}

impl From<Blocked> for End {
    fn from(blocked: Blocked) -> Self {
        match blocked {
            Blocked::Gone => Self::Gone,
            Blocked::Slow => Self::Failed(RpcError::SlowReader),
        }
    }
}

impl From<storage::Error> for End {
    fn from(error: storage::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Ends {
    /// The first of them.
    pub(super) fn first(&self) -> Instant {
        self.token.map_or(self.life, |token| token.min(self.life))
    }
}

impl Follower {
    pub(super) fn check_ends(&self) -> Result<(), End> {
        let now = Instant::now();
        if self.ends.token.is_some_and(|end| end <= now) {
            return Err(End::Failed(RpcError::CredentialsExpired));
        }
        if self.ends.life <= now || self.subscription.drains() {
            return Err(End::Reconnect);
        }
        Ok(())
    }

    /// Waits for the reader, who may be so slow that the stream ends before.
    pub(super) async fn unless_it_ends<T>(
        &self,
        taken: impl Future<Output = Result<T, Blocked>>,
    ) -> Result<T, End> {
        tokio::select! {
            biased;
            taken = taken => Ok(taken?),
            end = self.ended() => Err(end),
        }
    }

    async fn ended(&self) -> End {
        tokio::select! {
            () = sleep_until(self.ends.first().into()) => {}
            () = self.subscription.draining() => {}
        }
        self.check_ends().err().unwrap_or(End::Reconnect)
    }

    /// The last frame: the reader is to come again.
    pub(super) fn send_away(&self) -> Result<(), RpcError> {
        let FeedStart::After(seen) = self.reader.since else {
            // It has seen nothing yet, and has no cursor to come again with.
            return Err(RpcError::Draining);
        };
        let after_ms = self.streams.pace.spread_ms();
        let frame = Frame::Reconnect(v1::Reconnect { after_ms });
        self.outlet.put_last(Told::Frame(Box::new(frame)), seen);
        Ok(())
    }
}
