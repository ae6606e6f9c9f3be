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
    /// The time is not known, and so not whether the token is valid.
    #[error("the time is not known")]
    TimeUnknown,
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Invalid(error)
    }
}
