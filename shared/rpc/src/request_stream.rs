//! Streamed requests.

use tokio::time::timeout;
use tonic::{Code, Streaming};

use crate::error::RpcError;
use crate::limits::REQUEST_MESSAGE_TIMEOUT;

/// Messages of a streamed request.
pub struct RequestStream<T>(Streaming<T>);

impl<T> RequestStream<T> {
    /// Creates the stream.
    #[must_use]
    pub const fn of(stream: Streaming<T>) -> Self {
        Self(stream)
    }

    /// Returns the next message; none at the end of the stream.
    ///
    /// # Errors
    /// If it does not arrive within [`REQUEST_MESSAGE_TIMEOUT`], or is malformed or too large. A
    /// disconnected client is an error too, not the end: the server ensures it.
    pub async fn next(&mut self) -> Result<Option<T>, RpcError> {
        let message = timeout(REQUEST_MESSAGE_TIMEOUT, self.0.message()).await;
        let message = message.map_err(|_| RpcError::Deadline)?;
        message.map_err(|status| match status.code() {
            Code::OutOfRange => RpcError::RequestTooLarge,
            _ => RpcError::Malformed,
        })
    }
}
