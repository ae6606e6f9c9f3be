//! Failures of authentication.

use crate::TokenError;

/// Failure to authenticate a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No `authorization` header.
    #[error("a token is required")]
    Missing,
    /// A token that is not accepted.
    #[error("the token is not valid")]
    Invalid(#[source] TokenError),
    /// A valid token whose `exp` has passed.
    #[error("the token has expired")]
    Expired,
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Invalid(error)
    }
}
