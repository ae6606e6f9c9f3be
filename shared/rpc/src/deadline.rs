//! When a call must be over.

use std::time::Instant;

use tonic::Request;

use crate::error::RpcError;

/// When the call must be over: what the caller said, within the bounds of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    pub(crate) const fn new(at: Instant) -> Self {
        Self(at)
    }

    /// The deadline of a call.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if the call did not pass through the [stack](crate::stack).
    pub fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        let deadline = request.extensions().get::<Self>().copied();
        deadline.ok_or_else(|| RpcError::internal("the call has no deadline"))
    }

    /// The moment.
    #[must_use]
    pub const fn at(self) -> Instant {
        self.0
    }
}
