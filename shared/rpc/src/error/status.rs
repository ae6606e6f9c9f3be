//! Conversion of errors to statuses.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Reason;
use proto::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::{RpcError, details};

/// `domain` of every `google.rpc.ErrorInfo`.
const DOMAIN: &str = "postroom";

/// Retry delay after contention with other calls.
const RETRY_SOON: Duration = Duration::from_millis(200);
/// Retry delay after a failure of a dependency.
const RETRY_LATER: Duration = Duration::from_secs(1);
/// Retry delay after a condition that needs human action.
const RETRY_MUCH_LATER: Duration = Duration::from_mins(1);

/// Keeps the error as the source of the status: the access log reads the cause from it, and a
/// status without one was not created here.
impl From<RpcError> for Status {
    fn from(error: RpcError) -> Self {
        let code = error.code();
        let details = error.details();
        let mut status = match details {
            Some(details) => Self::with_error_details(code, error.to_string(), details),
            None => Self::new(code, error.to_string()),
        };
        status.set_source(Arc::new(error));
        status
    }
}

impl RpcError {
    /// Returns the `reason` of `google.rpc.ErrorInfo`; none if the contract has none.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        let reason = self.code_and_reason().1?;
        reason.as_str_name().strip_prefix("ERROR_REASON_")
    }

    /// Returns the code of the status.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code_and_reason().0
    }

    /// Returns the code and reason of the contract.
    fn code_and_reason(&self) -> (Code, Option<ErrorReason>) {
        use ErrorReason as R;
        let (code, reason) = match self {
            Self::Invalid(violations) => (Code::InvalidArgument, field_reason(violations.reason())),
            Self::Malformed => (Code::InvalidArgument, R::InvalidRequest),
            Self::RequestTooLarge => (Code::InvalidArgument, R::MessageTooLarge),
            Self::PageContextInvalid => (Code::InvalidArgument, R::PageContextInvalid),
            Self::CursorInvalid => (Code::InvalidArgument, R::CursorInvalid),
            Self::CredentialsMissing => (Code::Unauthenticated, R::CredentialsMissing),
            Self::CredentialsInvalid(_) => (Code::Unauthenticated, R::CredentialsInvalid),
            Self::CredentialsExpired => (Code::Unauthenticated, R::CredentialsExpired),
            Self::CredentialsRevoked => (Code::Unauthenticated, R::CredentialsRevoked),
            Self::AppErased => (Code::PermissionDenied, R::AppErased),
            Self::SysScopeRequired(_) => (Code::PermissionDenied, R::SysScopeRequired),
            Self::ProfileRequired => (Code::PermissionDenied, R::ProfileRequired),
            Self::NotAllowedByPolicy => (Code::PermissionDenied, R::NotAllowedByPolicy),
            Self::MessageNotFound => (Code::NotFound, R::MessageNotFound),
            Self::ErasureNotFound => (Code::NotFound, R::ErasureNotFound),
            Self::VersionMismatch { .. } => (Code::Aborted, R::MessageVersionMismatch),
            Self::KeptQuotaExceeded(_) => (Code::ResourceExhausted, R::KeptQuotaExceeded),
            Self::RecipientsUnknown => (Code::NotFound, R::RecipientsUnknown),
            Self::RequestIdReused => (Code::AlreadyExists, R::RequestIdReused),
            Self::MsgboxFull => (Code::ResourceExhausted, R::MsgboxFull),
            Self::TooManyBulk => (Code::ResourceExhausted, R::TooManyBulkMessages),
            Self::TooManyBlocks => (Code::ResourceExhausted, R::TooManyBlocks),
            Self::ConversationNotFound => (Code::NotFound, R::ConversationNotFound),
            Self::ConversationIdInUse => (Code::AlreadyExists, R::ConversationIdInUse),
            Self::ConversationVersionMismatch { .. } => {
                (Code::Aborted, R::ConversationVersionMismatch)
            }
            Self::ProfileBlocked => (Code::PermissionDenied, R::ProfileBlocked),
            Self::ConversationsFull => (Code::ResourceExhausted, R::ConversationsFull),
            Self::TooFewParticipants => (Code::FailedPrecondition, R::TooFewParticipants),
            Self::RateLimited { .. } => (Code::ResourceExhausted, R::RateLimited),
            Self::SlowReader => (Code::ResourceExhausted, R::SlowReader),
            Self::TooManyStreams => (Code::ResourceExhausted, R::TooManyStreams),
            Self::Overloaded(_) => (Code::Unavailable, R::Overloaded),
            Self::Draining => (Code::Unavailable, R::Draining),
            Self::StorageUnavailable(_) => (Code::Unavailable, R::StorageUnavailable),
            Self::IssuerUnavailable { .. } => (Code::Unavailable, R::IssuerUnavailable),
            Self::AuditUnavailable(_) => (Code::Unavailable, R::AuditUnavailable),
            Self::Deadline => (Code::DeadlineExceeded, R::Deadline),
            Self::Unimplemented(_) => return (Code::Unimplemented, None),
            Self::Internal(_) => (Code::Internal, R::Internal),
        };
        (code, Some(reason))
    }

    fn details(&self) -> Option<ErrorDetails> {
        let reason = self.reason()?;
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, self.metadata());
        if let Self::Invalid(violations) = self {
            details.set_bad_request(details::listed(violations));
        }
        if let Some(delay) = self.retry_after() {
            details.set_retry_info(Some(delay));
        }
        Some(details)
    }

    fn metadata(&self) -> HashMap<String, String> {
        let entries = match self {
            Self::VersionMismatch { expected, current }
            | Self::ConversationVersionMismatch { expected, current } => vec![
                ("expected_version", expected.to_string()),
                ("current_version", current.to_string()),
            ],
            Self::SysScopeRequired(scope) => vec![("scope", scope.to_string())],
            Self::KeptQuotaExceeded(quota) => vec![("quota", quota.name().to_owned())],
            _ => vec![],
        };
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    /// Returns the retry delay, which all of `UNAVAILABLE` and `RESOURCE_EXHAUSTED` have.
    fn retry_after(&self) -> Option<Duration> {
        if !matches!(self.code(), Code::Unavailable | Code::ResourceExhausted) {
            return None;
        }
        Some(match self {
            Self::RateLimited { retry_after } | Self::IssuerUnavailable { retry_after } => {
                *retry_after
            }
            Self::StorageUnavailable(_) | Self::AuditUnavailable(_) | Self::TooManyStreams => {
                RETRY_LATER
            }
            Self::MsgboxFull
            | Self::TooManyBulk
            | Self::TooManyBlocks
            | Self::ConversationsFull
            | Self::KeptQuotaExceeded(_) => RETRY_MUCH_LATER,
            _ => RETRY_SOON,
        })
    }
}

fn field_reason(reason: Reason) -> ErrorReason {
    match reason {
        Reason::InvalidRequest => ErrorReason::InvalidRequest,
        Reason::ContentInvalid => ErrorReason::ContentInvalid,
        Reason::MaxRecipientsExceeded => ErrorReason::MaxRecipientsExceeded,
        Reason::MessageTooLarge => ErrorReason::MessageTooLarge,
        Reason::SenderIdMustBeEmpty => ErrorReason::SenderIdMustBeEmpty,
        Reason::SenderNameRequired => ErrorReason::SenderNameRequired,
        Reason::MsgboxUnknown => ErrorReason::MsgboxUnknown,
        Reason::MaxParticipantsExceeded => ErrorReason::MaxParticipantsExceeded,
        Reason::MetadataTooLarge => ErrorReason::MetadataTooLarge,
    }
}

/// Returns the name of a code in the specification of gRPC.
#[must_use]
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
