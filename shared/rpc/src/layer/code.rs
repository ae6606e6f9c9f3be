//! Status codes: their names, and what they say about the server.

use http::{HeaderMap, StatusCode};
use tonic::{Code, Status};
use tracing::Level;

use super::Answer;

/// The name of a code, as the specification writes it.
pub(super) const fn name(code: Code) -> &'static str {
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

/// How loud the log is about a code: what a caller does wrong is no matter of ours, what is
/// short is to be looked at, and what is broken is to be mended.
pub(super) const fn level(code: Code) -> Level {
    match code {
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Level::INFO,
        Code::DeadlineExceeded | Code::ResourceExhausted | Code::Unavailable => Level::WARN,
        Code::Unknown | Code::Internal | Code::DataLoss => Level::ERROR,
    }
}

/// The code of an answer, unless its trailers are to tell it. What is not gRPC at all has
/// none, and is the caller's fault.
pub(super) fn of_answer(answer: &Answer) -> Option<Code> {
    if answer.status() == StatusCode::OK {
        of(answer.headers())
    } else {
        Some(Code::InvalidArgument)
    }
}

/// The code that headers or trailers hold.
pub(super) fn of(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}
