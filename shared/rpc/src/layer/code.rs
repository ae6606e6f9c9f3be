//! Status codes of responses, and their log levels.

use http::{HeaderMap, StatusCode};
use tonic::{Code, Status};
use tracing::Level;

use super::HttpResponse;

/// Returns the log level of a code: INFO for success and errors of the caller, WARN for a lack
/// of resources, ERROR for failures of the server.
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

/// Returns the code of a response, unless it is in the trailers. A response that is not gRPC
/// has none, and is an error of the caller.
pub(super) fn of_answer(answer: &HttpResponse) -> Option<Code> {
    if answer.status() == StatusCode::OK {
        of(answer.headers())
    } else {
        Some(Code::InvalidArgument)
    }
}

/// Returns the code in headers or trailers.
pub(super) fn of(headers: &HeaderMap) -> Option<Code> {
    let code = headers.get(Status::GRPC_STATUS)?;
    Some(Code::from_bytes(code.as_bytes()))
}
