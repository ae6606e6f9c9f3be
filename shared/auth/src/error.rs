//! Failures of authentication.

use std::time::Duration;

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
    /// Too many failed checks of tokens from the same address.
    #[error("too many invalid tokens from this address")]
    TooManyFailures {
        /// Time until tokens from the address are checked again.
        retry_after: Duration,
    },
    /// Keys of the token's issuer that cannot be loaded, so that it is not known whether the token
    /// is valid.
    #[error("the keys of the token's issuer are not available")]
    KeysUnavailable {
        /// Time until the keys are loaded again.
        retry_after: Duration,
    },
    /// The time is not known, and so not whether the token is valid.
    #[error("the time is not known")]
    TimeUnknown,
}

impl Error {
    /// Name of the reason in metrics; none if no token was refused.
    pub(crate) const fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("missing"),
            Self::Invalid(error) => Some(error.name()),
            Self::Expired => Some("expired"),
            Self::TooManyFailures { .. } => Some("too_many_failures"),
            Self::KeysUnavailable { .. } => Some("keys_unavailable"),
            Self::TimeUnknown => None,
        }
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Invalid(error)
    }
}
