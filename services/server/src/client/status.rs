//! Conversion of a gRPC status into a failure with its details.

use std::error::Error as _;
use std::fmt::Write;

use anyhow::anyhow;
use rpc::error::code_name;
use storage::error_chain;
use tonic::Status;
use tonic_types::StatusExt;

use super::escape;
use crate::failure::Failure;

/// Describes a refusal by its code and reason, and each violation on a line of its own.
impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        // Only errors of the transport on this side have a source.
        match status.source() {
            Some(source) => Self::Disconnected(error_chain(source)),
            None => Self::Failed(anyhow!(describe(&status))),
        }
    }
}

fn describe(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = code_name(status.code()).to_owned();
    if let Some(info) = details.error_info() {
        let _ = write!(text, " {}", info.reason);
    }
    let _ = write!(text, ": {}", escape(status.message()));
    for violation in details
        .bad_request()
        .iter()
        .flat_map(|request| &request.field_violations)
    {
        let _ = write!(
            text,
            "\n  {}: {}",
            violation.field,
            escape(&violation.description)
        );
    }
    let metadata = details.error_info().map(|info| &info.metadata);
    for (name, value) in metadata.into_iter().flatten() {
        let _ = write!(text, "\n  {name} = {}", escape(value));
    }
    if let Some(delay) = details.retry_info().and_then(|info| info.retry_delay) {
        let _ = write!(text, "\n  retry in {} s", delay.as_secs_f32());
    }
    text
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_refusal_is_described_by_code_reason_and_violations() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("INVALID_REQUEST", "postroom", [])
            .add_bad_request_violation("to[1]", "must not be empty")
            .add_bad_request_violation("content", "is missing");
        let status =
            Status::with_error_details(Code::InvalidArgument, "the request is not valid", details);

        let text = Failure::from(status).to_string();

        assert_eq!(
            text,
            "INVALID_ARGUMENT INVALID_REQUEST: the request is not valid\n  \
             to[1]: must not be empty\n  content: is missing"
        );
    }
}
