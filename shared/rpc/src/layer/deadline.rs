//! A call ends in time, reading its request included.

mod ending;
mod timeout;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tonic::body::Body;

use self::ending::Ending;
use super::info::Info;
use super::{Answer, Around, Call, Next, code, refuse};
use crate::deadline::Deadline;
use crate::error::RpcError;
use crate::limits::{DEADLINE_DEFAULT, DEADLINE_MAX, STREAM_TAKEN_MAX};
use crate::methods::Method;

/// Ends calls that take longer than they may. A stream must begin in time; it ends by its
/// own timeout only.
#[derive(Clone)]
pub(crate) struct Deadlines;

impl Around for Deadlines {
    async fn around(&self, mut call: Call, next: &impl Next) -> Answer {
        let asked = match timeout::asked(call.headers()) {
            Ok(Some(Duration::ZERO)) => return refuse(RpcError::Deadline),
            Ok(asked) => asked,
            Err(timeout::Malformed) => return refuse(RpcError::Malformed),
        };
        let method = Info::of(&call).method;
        let is_stream = method.is_some_and(|method| method.is_stream);
        let start = Instant::now();
        let at = start + granted(asked, method);
        call.extensions_mut().insert(Deadline::new(at.into_std()));
        let Ok(answer) = timeout_at(at, next.run(call)).await else {
            return refuse(RpcError::Deadline);
        };
        match asked.and_then(|asked| start.checked_add(asked)) {
            Some(end) if is_stream && code::of(answer.headers()).is_none() => {
                answer.map(|body| Body::new(Ending::new(body, end)))
            }
            _ => answer,
        }
    }
}

/// How long a call may take until it is answered; a stream, until it begins.
fn granted(asked: Option<Duration>, method: Option<Method>) -> Duration {
    let (unless_asked, most) = match method {
        Some(method) if method.takes_stream => (STREAM_TAKEN_MAX, STREAM_TAKEN_MAX),
        Some(method) if method.is_stream => (DEADLINE_DEFAULT, DEADLINE_DEFAULT),
        _ => (DEADLINE_DEFAULT, DEADLINE_MAX),
    };
    asked.unwrap_or(unless_asked).min(most)
}
