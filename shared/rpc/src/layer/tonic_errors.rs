//! Errors of tonic itself.

use std::error::Error as _;
use std::io;

use tonic::{Code, Status};

use super::read_request::unfinished;
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::error::RpcError;

/// Replaces the statuses with which tonic rejects a request: their codes blame the server, and
/// their texts disclose field names and limits. Statuses of handlers pass unchanged.
#[derive(Clone)]
pub(crate) struct TonicErrors;

impl Middleware for TonicErrors {
    async fn handle(&self, call: HttpRequest, next: &impl Next) -> HttpResponse {
        let answer = next.run(call).await;
        let status = answer.extensions().get::<Status>();
        let Some(status) = status.filter(|status| !is_ours(status)) else {
            return answer;
        };
        if is_unfinished(status) {
            return unfinished();
        }
        match translated(status) {
            Some(error) => reject(error),
            None => answer,
        }
    }
}

fn translated(status: &Status) -> Option<RpcError> {
    match status.code() {
        // A message that cannot be decoded, or no message at all.
        Code::Internal => Some(RpcError::Malformed),
        Code::OutOfRange => Some(RpcError::RequestTooLarge),
        _ => None,
    }
}

/// Returns whether the caller has gone before the end of the request: no failure of the server.
fn is_unfinished(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        source = error.source();
    }
    false
}

fn is_ours(status: &Status) -> bool {
    status
        .source()
        .is_some_and(<dyn std::error::Error + 'static>::is::<RpcError>)
}
