//! Errors of calls, and their conversion to statuses.

mod details;
mod status;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use auth::{Scope, TokenError};
use domain::{KeptQuota, Refusal, Violations};

pub(crate) use self::details::exceeded_limits;
pub use self::status::code_name;

/// Cause of an error, for the log only.
pub type Cause = Arc<dyn StdError + Send + Sync>;

/// Error of a call, with a variant for each error of the contract.
///
/// The texts are constant and go to the caller. The cause is the error's source, which only the
/// access log contains.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RpcError {
    /// Invalid fields.
    #[error("the request is not valid, as the field violations say")]
    Invalid(Violations),
    /// A request that violates its schema or the protocol.
    #[error("the request is malformed")]
    Malformed,
    /// A request larger than the listener's limit.
    #[error("the request is too large")]
    RequestTooLarge,
    /// A page context that was altered, or belongs to another caller or method.
    #[error("the page context is not valid")]
    PageContextInvalid,
    /// A cursor that was altered, or belongs to another caller.
    #[error("the cursor is not valid")]
    CursorInvalid,
    /// A call without a token.
    #[error("a token is required")]
    CredentialsMissing,
    /// A token that is not accepted. One text for most reasons, so that probing reveals nothing.
    #[error("the token is not valid{}", .0.told())]
    CredentialsInvalid(#[source] TokenError),
    /// A valid token that has expired.
    #[error("the token has expired")]
    CredentialsExpired,
    /// A valid token that the app has revoked.
    #[error("the token has been revoked")]
    CredentialsRevoked,
    /// An app that is being erased.
    #[error("the app is being erased")]
    AppErased,
    /// A method that requires a privileged caller with this scope.
    #[error("the token does not have the scope {0}")]
    SysScopeRequired(Scope),
    /// A method that requires a user.
    #[error("the token does not speak for a profile")]
    ProfileRequired,
    /// A change that the app's policy or the rules do not allow to this caller.
    #[error("not allowed by policy")]
    NotAllowedByPolicy,
    /// A message that does not exist, or is not the caller's.
    #[error("no such message")]
    MessageNotFound,
    /// An erasure that was not requested.
    #[error("no erasure was requested")]
    ErasureNotFound,
    /// Another version than the caller expected.
    #[error("it has another version than expected")]
    VersionMismatch {
        /// Expected version.
        expected: i64,
        /// Current version.
        current: i64,
    },
    /// A request id that was used for another request.
    #[error("the request id was used for another request")]
    RequestIdReused,
    /// No recipient's inbox has room.
    #[error("no inbox has room")]
    MsgboxFull,
    /// A send or a first call by which more would be kept than a quota allows.
    #[error("more is kept than {} allows", .0.name())]
    KeptQuotaExceeded(KeptQuota),
    /// Recipients that are all unknown, where the app allows no unknown ones.
    #[error("no recipient is known")]
    RecipientsUnknown,
    /// A bulk message beyond the app's maximum.
    #[error("the app has too many live bulk messages")]
    TooManyBulk,
    /// A block beyond the user's maximum.
    #[error("too many profiles are blocked")]
    TooManyBlocks,
    /// A conversation that does not exist, or of which the caller is no participant.
    #[error("no such conversation")]
    ConversationNotFound,
    /// A chosen id that is that of another conversation.
    #[error("the id is that of another conversation")]
    ConversationIdInUse,
    /// Another version of a conversation than the caller expected.
    #[error("the conversation has another version than expected")]
    ConversationVersionMismatch {
        /// Expected version.
        expected: i64,
        /// Current version.
        current: i64,
    },
    /// A participant whom the caller blocks.
    #[error("you block a participant")]
    ProfileBlocked,
    /// A conversation beyond a participant's maximum.
    #[error("a participant has too many conversations")]
    ConversationsFull,
    /// A removal that would leave one participant.
    #[error("too few participants would be left; leave the conversation instead")]
    TooFewParticipants,
    /// A call over a quota.
    #[error("too many calls")]
    RateLimited {
        /// Time after which the quota allows the call.
        retry_after: Duration,
    },
    /// A subscriber that does not keep up with its stream.
    #[error("the reader is too slow; resume from the last cursor")]
    SlowReader,
    /// A stream beyond the caller's maximum.
    #[error("too many streams")]
    TooManyStreams,
    /// More work than can be done in time.
    #[error("overloaded")]
    Overloaded(#[source] Option<Cause>),
    /// A shutdown of the server.
    #[error("the server is shutting down")]
    Draining,
    /// A storage failure. The change may have been made.
    #[error("the storage is not available; retry with the same request id")]
    StorageUnavailable(#[source] Cause),
    /// Keys of the token's issuer that cannot be loaded. The call had no effect.
    #[error("the keys of the token's issuer are not available")]
    IssuerUnavailable {
        /// Time until they are loaded again.
        retry_after: Duration,
    },
    /// A read that cannot be recorded in the audit log, and is not answered.
    #[error("the audit log is not available")]
    AuditUnavailable(#[source] Cause),
    /// A deadline that has passed. The change may have been made.
    #[error("the deadline has passed")]
    Deadline,
    /// An unknown method, or a feature that is not supported.
    #[error("{0} is not implemented")]
    Unimplemented(&'static str),
    /// A bug, or corrupt data.
    #[error("internal error")]
    Internal(#[source] Cause),
}

impl RpcError {
    /// Returns whether the caller is refused by its own fault: without a look at what it asks for.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::RequestTooLarge
                | Self::CredentialsMissing
                | Self::CredentialsInvalid(_)
                | Self::CredentialsExpired
                | Self::CredentialsRevoked
                | Self::AppErased
                | Self::SysScopeRequired(_)
                | Self::ProfileRequired
                | Self::RateLimited { .. }
                | Self::TooManyStreams
                | Self::Unimplemented(_)
        )
    }

    /// Creates an internal error with a cause for the log.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(source.into()))
    }
}

/// Returns the error of an unknown method.
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
            auth::Error::TooManyFailures { retry_after } => Self::RateLimited { retry_after },
            auth::Error::KeysUnavailable { retry_after } => Self::IssuerUnavailable { retry_after },
            auth::Error::TimeUnknown => {
                let error = storage::Error::Unavailable(error.into());
                Self::StorageUnavailable(Arc::new(error))
            }
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
                Self::Invalid(exceeded_limits(&exceeded, "content"))
            }
            Refusal::NotFound => Self::MessageNotFound,
            Refusal::VersionMismatch { expected, current } => {
                Self::VersionMismatch { expected, current }
            }
            Refusal::NotAllowed => Self::NotAllowedByPolicy,
            Refusal::RequestIdReused => Self::RequestIdReused,
            Refusal::BoxFull => Self::MsgboxFull,
            Refusal::TooMuchKept(quota) => Self::KeptQuotaExceeded(quota),
            Refusal::RecipientsUnknown => Self::RecipientsUnknown,
            Refusal::TooManyBulk => Self::TooManyBulk,
            Refusal::TooManyBlocks => Self::TooManyBlocks,
            Refusal::ConversationNotFound => Self::ConversationNotFound,
            Refusal::ConversationIdInUse => Self::ConversationIdInUse,
            Refusal::ConversationVersionMismatch { expected, current } => {
                Self::ConversationVersionMismatch { expected, current }
            }
            Refusal::ProfileBlocked => Self::ProfileBlocked,
            Refusal::ConversationsFull => Self::ConversationsFull,
            Refusal::TooFewParticipants => Self::TooFewParticipants,
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
