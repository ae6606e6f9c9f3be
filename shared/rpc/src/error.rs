//! Why a call fails, and how the caller is told: one type, and one way from it to a status.

mod details;
mod status;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use auth::{Scope, TokenError};
use domain::{Refusal, Violations};

use crate::convert::draft;

/// Where an error comes from, for the log. Callers never see it.
pub type Source = Arc<dyn StdError + Send + Sync>;

/// Why a call fails: one variant for each thing that can be told.
///
/// The texts are constant and go to the caller as they are; what is behind an error is its
/// source, which the access log writes down and nobody is told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RpcError {
    /// Fields break their rules.
    #[error("the request is not valid, as the field violations say")]
    Invalid(Violations),
    /// The request is not what its schema says, or breaks the protocol.
    #[error("the request is malformed")]
    Malformed,
    /// The request is over the listener's limit.
    #[error("the request is too large")]
    RequestTooLarge,
    /// The page context was altered, or is not the caller's, or not this method's.
    #[error("the page context is not valid")]
    PageContextInvalid,
    /// The cursor was altered, or is not the caller's.
    #[error("the cursor is not valid")]
    CursorInvalid,
    /// The call carries no token.
    #[error("a token is required")]
    CredentialsMissing,
    /// The token is not accepted. One text for all, so that nothing can be learned by trying.
    #[error("the token is not valid")]
    CredentialsInvalid(#[source] TokenError),
    /// The token was good until it expired.
    #[error("the token has expired")]
    CredentialsExpired,
    /// The method needs a privileged caller with this scope.
    #[error("the token does not have the scope {0}")]
    SysScopeRequired(Scope),
    /// The method needs a user.
    #[error("the token does not speak for a profile")]
    ProfileRequired,
    /// The app's policy, or the rules, do not allow it to this caller.
    #[error("not allowed by policy")]
    NotAllowedByPolicy,
    /// There is no such message, or it is not the caller's.
    #[error("no such message")]
    MessageNotFound,
    /// The caller expected another version.
    #[error("it has another version than expected")]
    VersionMismatch {
        /// What the caller expected.
        expected: i64,
        /// What is.
        current: i64,
    },
    /// The request id was used for something else.
    #[error("the request id was used for another request")]
    RequestIdReused,
    /// No inbox had room.
    #[error("no inbox has room")]
    MsgboxFull,
    /// The caller asks more than its share.
    #[error("too many calls")]
    RateLimited {
        /// When it may ask again.
        retry_after: Duration,
    },
    /// The reader of a stream does not keep up.
    #[error("the reader is too slow; resume from the last cursor")]
    SlowReader,
    /// The caller has as many streams as it may have.
    #[error("too many streams")]
    TooManyStreams,
    /// There is more to do than can be done in time.
    #[error("overloaded")]
    Overloaded(#[source] Option<Source>),
    /// The server is going away.
    #[error("the server is shutting down")]
    Draining,
    /// The store is away. A change may have been made.
    #[error("the storage is not available; retry with the same request id")]
    StorageUnavailable(#[source] Source),
    /// The time that the caller allowed is over. A change may have been made.
    #[error("the deadline has passed")]
    Deadline,
    /// There is no such method here, or not in this version.
    #[error("{0} is not implemented")]
    Unimplemented(&'static str),
    /// A bug, or a row that is corrupt.
    #[error("internal error")]
    Internal(#[source] Source),
}

impl RpcError {
    /// An error whose cause is only for the log.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(source.into()))
    }
}

/// Answers a method that is not there.
#[must_use]
pub const fn unimplemented(method: &'static str) -> RpcError {
    RpcError::Unimplemented(method)
}

impl From<auth::Error> for RpcError {
    fn from(error: auth::Error) -> Self {
        match error {
            auth::Error::Missing => Self::CredentialsMissing,
            auth::Error::Invalid(error) => Self::CredentialsInvalid(error),
            auth::Error::Expired => Self::CredentialsExpired,
        }
    }
}

impl From<Violations> for RpcError {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::LimitsExceeded(exceeded) => {
                Self::Invalid(draft::violations(&exceeded, "content"))
            }
            Refusal::NotFound => Self::MessageNotFound,
            Refusal::VersionMismatch { expected, current } => {
                Self::VersionMismatch { expected, current }
            }
            Refusal::NotAllowed => Self::NotAllowedByPolicy,
            Refusal::RequestIdReused => Self::RequestIdReused,
            Refusal::BoxFull => Self::MsgboxFull,
        }
    }
}

impl From<storage::Error> for RpcError {
    fn from(error: storage::Error) -> Self {
        use storage::Error as E;
        match error {
            E::Refused(refusal) => refusal.into(),
            E::Overloaded | E::Busy(_) => Self::Overloaded(Some(Arc::new(error))),
            E::Deadline => Self::Deadline,
            E::Unavailable(_) | E::Unknown(_) => Self::StorageUnavailable(Arc::new(error)),
            E::Corrupt { .. } | E::Internal(_) => Self::Internal(Arc::new(error)),
        }
    }
}

#[cfg(test)]
mod tests;
