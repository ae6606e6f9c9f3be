//! Deadlines of calls, which include reading the request and taking the answer.

mod expiring_body;
mod timeout;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tonic::body::Body;

use self::expiring_body::ExpiringBody;
use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, code, reject};
use crate::deadline::Deadline;
use crate::error::RpcError;
use crate::limits::{DEADLINE_DEFAULT, DEADLINE_MAX, REQUEST_STREAM_MAX, STREAM_END_TIMEOUT};
use crate::methods::Method;

/// Time at which an answer must have been taken, as an extension of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerDeadline(pub Instant);

/// Ends calls at their deadline. A response stream must begin by the deadline, and ends only by
/// the timeout of its client.
#[derive(Clone)]
pub(crate) struct Deadlines;

impl Middleware for Deadlines {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        let requested = match timeout::requested(call.headers()) {
            Ok(Some(Duration::ZERO)) => return reject(RpcError::Deadline),
            Ok(requested) => requested,
            Err(timeout::Malformed) => return reject(RpcError::Malformed),
        };
        let method = CallInfo::of(&call).method;
        let is_stream = method.is_some_and(|method| method.is_stream);
        let start = Instant::now();
        let at = start + granted(requested, method);
        call.extensions_mut().insert(Deadline::new(at.into_std()));
        let Ok(answer) = timeout_at(at, next.run(call)).await else {
            return reject(RpcError::Deadline);
        };
        if code::of(answer.headers()).is_some() {
            return answer;
        }
        if !is_stream {
            return with_deadline(answer, at);
        }
        match requested.and_then(|requested| start.checked_add(requested)) {
            Some(end) => {
                let answer = answer.map(|body| Body::new(ExpiringBody::new(body, end)));
                with_deadline(answer, end + STREAM_END_TIMEOUT)
            }
            None => answer,
        }
    }
}

fn with_deadline(mut answer: HttpResponse, at: Instant) -> HttpResponse {
    answer.extensions_mut().insert(AnswerDeadline(at));
    answer
}

/// Returns the time within which a call must be answered, or a response stream begin.
fn granted(requested: Option<Duration>, method: Option<Method>) -> Duration {
    let (default, max) = match method {
        Some(method) if method.takes_stream => (REQUEST_STREAM_MAX, REQUEST_STREAM_MAX),
        Some(method) if method.is_stream => (DEADLINE_DEFAULT, DEADLINE_DEFAULT),
        _ => (DEADLINE_DEFAULT, DEADLINE_MAX),
    };
    requested.unwrap_or(default).min(max)
}
