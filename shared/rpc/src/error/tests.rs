use std::collections::BTreeMap;
use std::error::Error as _;

use domain::{KeptQuota, LimitExceeded, Reason};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::*;

fn cause() -> Cause {
    Arc::new(std::io::Error::other("secret cause"))
}

/// An error with its code and reason in the contract.
type Contracted = (RpcError, Code, Option<&'static str>);

/// Returns an error of every variant.
fn all() -> Vec<Contracted> {
    [of_callers(), of_rules(), of_conversations(), of_servers()].concat()
}

fn of_callers() -> Vec<Contracted> {
    use Code as C;
    use RpcError as E;
    vec![
        (E::Malformed, C::InvalidArgument, Some("INVALID_REQUEST")),
        (
            E::RequestTooLarge,
            C::InvalidArgument,
            Some("MESSAGE_TOO_LARGE"),
        ),
        (
            E::PageContextInvalid,
            C::InvalidArgument,
            Some("PAGE_CONTEXT_INVALID"),
        ),
        (E::CursorInvalid, C::InvalidArgument, Some("CURSOR_INVALID")),
        (
            E::CredentialsMissing,
            C::Unauthenticated,
            Some("CREDENTIALS_MISSING"),
        ),
        (
            E::CredentialsInvalid(TokenError::Signature),
            C::Unauthenticated,
            Some("CREDENTIALS_INVALID"),
        ),
        (
            E::CredentialsExpired,
            C::Unauthenticated,
            Some("CREDENTIALS_EXPIRED"),
        ),
        (E::AppErased, C::PermissionDenied, Some("APP_ERASED")),
        (
            E::SysScopeRequired(Scope::Bulk),
            C::PermissionDenied,
            Some("SYS_SCOPE_REQUIRED"),
        ),
        (
            E::ProfileRequired,
            C::PermissionDenied,
            Some("PROFILE_REQUIRED"),
        ),
    ]
}

fn of_rules() -> Vec<Contracted> {
    use Code as C;
    use RpcError as E;
    let mismatch = E::VersionMismatch {
        expected: 3,
        current: 5,
    };
    vec![
        (
            E::NotAllowedByPolicy,
            C::PermissionDenied,
            Some("NOT_ALLOWED_BY_POLICY"),
        ),
        (E::MessageNotFound, C::NotFound, Some("MESSAGE_NOT_FOUND")),
        (E::ErasureNotFound, C::NotFound, Some("ERASURE_NOT_FOUND")),
        (mismatch, C::Aborted, Some("MESSAGE_VERSION_MISMATCH")),
        (
            E::RequestIdReused,
            C::AlreadyExists,
            Some("REQUEST_ID_REUSED"),
        ),
        (E::MsgboxFull, C::ResourceExhausted, Some("MSGBOX_FULL")),
        (
            E::KeptQuotaExceeded(KeptQuota::AppKeptMib),
            C::ResourceExhausted,
            Some("KEPT_QUOTA_EXCEEDED"),
        ),
        (
            E::RecipientsUnknown,
            C::NotFound,
            Some("RECIPIENTS_UNKNOWN"),
        ),
        (
            E::TooManyBulk,
            C::ResourceExhausted,
            Some("TOO_MANY_BULK_MESSAGES"),
        ),
        (
            E::TooManyBlocks,
            C::ResourceExhausted,
            Some("TOO_MANY_BLOCKS"),
        ),
    ]
}

fn of_conversations() -> Vec<Contracted> {
    use Code as C;
    use RpcError as E;
    vec![
        (
            E::ConversationNotFound,
            C::NotFound,
            Some("CONVERSATION_NOT_FOUND"),
        ),
        (
            E::ConversationIdInUse,
            C::AlreadyExists,
            Some("CONVERSATION_ID_IN_USE"),
        ),
        (
            E::ConversationVersionMismatch {
                expected: 1,
                current: 2,
            },
            C::Aborted,
            Some("CONVERSATION_VERSION_MISMATCH"),
        ),
        (
            E::ProfileBlocked,
            C::PermissionDenied,
            Some("PROFILE_BLOCKED"),
        ),
        (
            E::ConversationsFull,
            C::ResourceExhausted,
            Some("CONVERSATIONS_FULL"),
        ),
        (
            E::TooFewParticipants,
            C::FailedPrecondition,
            Some("TOO_FEW_PARTICIPANTS"),
        ),
    ]
}

fn of_servers() -> Vec<Contracted> {
    use Code as C;
    use RpcError as E;
    let retry_after = Duration::from_secs(7);
    vec![
        (
            E::RateLimited { retry_after },
            C::ResourceExhausted,
            Some("RATE_LIMITED"),
        ),
        (E::SlowReader, C::ResourceExhausted, Some("SLOW_READER")),
        (
            E::TooManyStreams,
            C::ResourceExhausted,
            Some("TOO_MANY_STREAMS"),
        ),
        (E::Overloaded(None), C::Unavailable, Some("OVERLOADED")),
        (
            E::Overloaded(Some(cause())),
            C::Unavailable,
            Some("OVERLOADED"),
        ),
        (E::Draining, C::Unavailable, Some("DRAINING")),
        (
            E::StorageUnavailable(cause()),
            C::Unavailable,
            Some("STORAGE_UNAVAILABLE"),
        ),
        (
            E::IssuerUnavailable { retry_after },
            C::Unavailable,
            Some("ISSUER_UNAVAILABLE"),
        ),
        (
            E::AuditUnavailable(cause()),
            C::Unavailable,
            Some("AUDIT_UNAVAILABLE"),
        ),
        (E::Deadline, C::DeadlineExceeded, Some("DEADLINE")),
        (unimplemented("GetChanges"), C::Unimplemented, None),
        (E::Internal(cause()), C::Internal, Some("INTERNAL")),
    ]
}

#[test]
fn every_error_has_its_code_and_reason_of_the_contract() {
    for (error, code, reason) in all() {
        let status = Status::from(error.clone());
        assert_eq!(status.code(), code, "{error:?}");
        let info = status.get_details_error_info();
        let found = info.as_ref().map(|info| info.reason.as_str());
        assert_eq!(found, reason, "{error:?}");
        let domain = info.as_ref().map(|info| info.domain.as_str());
        assert_eq!(domain, reason.map(|_| "postroom"), "{error:?}");
    }
}

#[test]
fn retryable_errors_have_retry_info() {
    for (error, code, _) in all() {
        let status = Status::from(error.clone());
        let has_retry_info = status.get_details_retry_info().is_some();
        let expected = matches!(code, Code::Unavailable | Code::ResourceExhausted);
        assert_eq!(has_retry_info, expected, "{error:?}");
    }
    let retry_after = Duration::from_secs(7);
    let status = Status::from(RpcError::RateLimited { retry_after });
    let info = status.get_details_retry_info().expect("a time");
    assert_eq!(info.retry_delay, Some(retry_after));
}

#[test]
fn statuses_do_not_disclose_causes() {
    for (error, ..) in all() {
        let status = Status::from(error);
        let details = String::from_utf8_lossy(status.details()).into_owned();
        assert!(!status.message().contains("secret"), "{status:?}");
        assert!(!details.contains("secret"), "{status:?}");
        assert!(!details.contains("signature"), "{status:?}");
    }
}

#[test]
fn all_invalid_tokens_get_the_same_status() {
    let status = |error: TokenError| Status::from(RpcError::from(auth::Error::Invalid(error)));
    let [one, other] = [TokenError::Malformed, TokenError::Signature].map(status);
    assert_eq!(one.code(), other.code());
    assert_eq!(one.message(), other.message());
    assert_eq!(one.details(), other.details());
}

#[test]
fn the_size_and_the_life_of_an_invalid_token_are_told() {
    for (error, told) in [
        (TokenError::TooLong, "16 KiB"),
        (TokenError::LongLived, "max_token_life"),
        (TokenError::NotYet, "not valid yet"),
    ] {
        let status = Status::from(RpcError::CredentialsInvalid(error));
        assert!(status.message().contains(told), "{status:?}");
    }
}

#[test]
fn the_source_of_a_status_has_the_cause() {
    let error = storage::Error::Unknown(Box::new(std::io::Error::other("secret cause")));
    let status = Status::from(RpcError::from(error));
    let source = status.source().expect("the error itself");
    assert_eq!(
        telemetry::error_chain(source),
        "the storage is not available; retry with the same request id: \
         the outcome is not known: secret cause"
    );
}

#[test]
fn metadata_contains_versions_and_scopes() {
    let metadata = |error: RpcError| {
        let info = Status::from(error)
            .get_details_error_info()
            .expect("an info");
        info.metadata.into_iter().collect::<BTreeMap<_, _>>()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        metadata(RpcError::VersionMismatch {
            expected: 3,
            current: 5
        }),
        BTreeMap::from([pair("expected_version", "3"), pair("current_version", "5")])
    );
    assert_eq!(
        metadata(RpcError::SysScopeRequired(Scope::Read)),
        BTreeMap::from([pair("scope", "sys.read")])
    );
}

#[test]
fn all_violations_are_listed_under_their_common_reason() {
    let mut violations = Violations::none();
    violations.add("to[3]", Reason::MaxRecipientsExceeded, "too many");
    let status = Status::from(RpcError::from(violations.clone()));
    let info = status.get_details_error_info().expect("an info");
    assert_eq!(info.reason, "MAX_RECIPIENTS_EXCEEDED");

    violations.add("content.json", Reason::ContentInvalid, "too deep");
    let status = Status::from(RpcError::from(violations));
    let info = status.get_details_error_info().expect("an info");
    assert_eq!(info.reason, "INVALID_REQUEST");
    let fields = status.get_details_bad_request().expect("violations");
    let fields: Vec<_> = fields
        .field_violations
        .iter()
        .map(|violation| (violation.field.as_str(), violation.description.as_str()))
        .collect();
    assert_eq!(
        fields,
        [("to[3]", "too many"), ("content.json", "too deep")]
    );
}

#[test]
fn exceeded_limits_name_the_fields_of_the_request() {
    let exceeded = [
        LimitExceeded::Recipients { named: 3, max: 2 },
        LimitExceeded::ContentBytes { bytes: 5, max: 4 },
        LimitExceeded::Lifetime {
            lifetime_ms: 2_000,
            max_ms: 1_000,
        },
        LimitExceeded::Participants { named: 3, max: 2 },
        LimitExceeded::Metadata { bytes: 5, max: 4 },
    ];
    let violations = exceeded_limits(&exceeded, "text");
    let fields = violations.as_slice().iter();
    let fields: Vec<&str> = fields.map(|violation| violation.field.as_str()).collect();
    assert_eq!(
        fields,
        ["to", "text", "expire_after", "participants", "set"]
    );
}

#[test]
fn twenty_violations_are_listed_and_the_rest_counted() {
    let mut violations = Violations::none();
    for index in 0..500 {
        violations.invalid(format!("to[{index}]"), "must not be empty");
    }
    let status = Status::from(RpcError::from(violations));
    let listed = status.get_details_bad_request().expect("violations");
    let listed = listed.field_violations;
    assert_eq!(listed.len(), 21);
    assert_eq!(listed[19].field, "to[19]");
    assert_eq!(listed[20].field, "");
    assert_eq!(listed[20].description, "and 480 more");
}

#[test]
fn trailers_stay_under_eight_kibibytes() {
    let mut violations = Violations::none();
    for _ in 0..100 {
        violations.invalid("ä".repeat(1000), "→".repeat(1000));
    }
    let status = Status::from(RpcError::from(violations));
    let mut trailers = http::HeaderMap::new();
    status.add_header(&mut trailers).expect("trailers");
    let bytes: usize = trailers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum();
    assert!(bytes < 8 * 1024, "{bytes}");
    let listed = status.get_details_bad_request().expect("violations");
    assert!(listed.field_violations.len() > 2);
}

#[test]
fn storage_errors_map_to_reasons_of_the_contract() {
    use storage::Error as E;
    let cause = || Box::new(std::io::Error::other("cause"));
    let corrupt = E::Corrupt {
        table: "message",
        column: "kind",
        key: "7".to_owned(),
    };
    let cases = [
        (E::Refused(Refusal::NotFound), "MESSAGE_NOT_FOUND"),
        (E::Refused(Refusal::NotAllowed), "NOT_ALLOWED_BY_POLICY"),
        (E::Refused(Refusal::RequestIdReused), "REQUEST_ID_REUSED"),
        (E::Refused(Refusal::BoxFull), "MSGBOX_FULL"),
        (E::Refused(Refusal::RecipientsUnknown), "RECIPIENTS_UNKNOWN"),
        (
            E::Refused(Refusal::TooMuchKept(KeptQuota::AppKeptMib)),
            "KEPT_QUOTA_EXCEEDED",
        ),
        (E::Refused(Refusal::TooManyBulk), "TOO_MANY_BULK_MESSAGES"),
        (E::Refused(Refusal::TooManyBlocks), "TOO_MANY_BLOCKS"),
        (
            E::Refused(Refusal::ConversationNotFound),
            "CONVERSATION_NOT_FOUND",
        ),
        (E::Refused(Refusal::ProfileBlocked), "PROFILE_BLOCKED"),
        (E::Refused(Refusal::ConversationsFull), "CONVERSATIONS_FULL"),
        (E::Overloaded, "OVERLOADED"),
        (
            E::Busy(storage::Contention::Transaction(cause())),
            "OVERLOADED",
        ),
        (E::Deadline, "DEADLINE"),
        (E::Unavailable(cause()), "STORAGE_UNAVAILABLE"),
        (E::Unknown(cause()), "STORAGE_UNAVAILABLE"),
        (corrupt, "INTERNAL"),
        (E::Internal(cause()), "INTERNAL"),
    ];
    for (error, reason) in cases {
        let text = format!("{error:?}");
        assert_eq!(RpcError::from(error).reason(), Some(reason), "{text}");
    }
}
