//! Deadlines of calls.

use std::time::Instant;

use tonic::Request;

use crate::error::RpcError;

/// Deadline of a call: as requested, within the limits of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    pub(crate) const fn new(at: Instant) -> Self {
        Self(at)
    }

    /// Returns the deadline of a call.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if the call did not pass through the [stack](crate::stack).
    pub fn of<T>(request: &Request<T>) -> Result<Self, RpcError> {
        let deadline = request.extensions().get::<Self>().copied();
        deadline.ok_or_else(|| RpcError::internal("the call has no deadline"))
    }

    /// Time of the deadline.
    #[must_use]
    pub const fn at(self) -> Instant {
        self.0
    }
}
