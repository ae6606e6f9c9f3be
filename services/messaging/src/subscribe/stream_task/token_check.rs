//! Checks of the subscriber's token against revocations.

use std::time::Instant;

use rpc::RpcError;

use super::StreamTask;
use super::end::StreamEnd;

impl StreamTask {
    /// Fails if a check of the token is due, and it has been revoked, or its app is being erased. A
    /// check that fails for another reason is repeated when the next one is due.
    pub(super) async fn check_token(&mut self) -> Result<(), StreamEnd> {
        if Instant::now() < self.token_check_at {
            return Ok(());
        }
        self.token_check_at = self.streams.timing.next_token_check();
        match Box::pin(self.streams.revocations.check(&self.reader.user)).await {
            Err(error @ (RpcError::CredentialsRevoked | RpcError::AppErased)) => {
                Err(StreamEnd::Failed(error))
            }
            Err(error) => {
                tracing::debug!(error.source = %error, "revocations.read_failed");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
