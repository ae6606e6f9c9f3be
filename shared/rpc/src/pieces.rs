//! A request that comes in pieces.

use tokio::time::timeout;
use tonic::{Code, Streaming};

use crate::error::RpcError;
use crate::limits::PIECE_MAX;

/// The pieces of a request, in their order.
pub struct Pieces<T>(Streaming<T>);

impl<T> Pieces<T> {
    /// Those of a stream.
    #[must_use]
    pub const fn of(stream: Streaming<T>) -> Self {
        Self(stream)
    }

    /// The next; none: there is no more.
    ///
    /// # Errors
    /// If it does not come in time, or is none. The server makes sure that a caller who goes away
    /// is no end.
    pub async fn next(&mut self) -> Result<Option<T>, RpcError> {
        let piece = timeout(PIECE_MAX, self.0.message()).await;
        let piece = piece.map_err(|_| RpcError::Deadline)?;
        piece.map_err(|status| match status.code() {
            Code::OutOfRange => RpcError::RequestTooLarge,
            _ => RpcError::Malformed,
        })
    }
}
