//! When a caller's token ends.

use std::time::{Duration, Instant};

use tonic::Request;

use crate::error::RpcError;

/// When the caller's token ends: a stream does not outlive it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenEnd(Option<Instant>);

impl TokenEnd {
    /// In that time; a time beyond what a clock can say never comes.
    pub(crate) fn after(left: Duration) -> Self {
        Self(Instant::now().checked_add(left))
    }

    /// The end of the token of a call.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if nobody was authenticated for this call.
    pub fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        let end = request.extensions().get::<Self>().copied();
        end.ok_or_else(|| RpcError::internal("the call was not authenticated"))
    }

    /// The moment; none: never.
    #[must_use]
    pub const fn at(self) -> Option<Instant> {
        self.0
    }
}
