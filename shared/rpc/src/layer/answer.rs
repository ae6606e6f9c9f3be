//! Answers on their way to callers.

mod piecewise_body;

use std::sync::Arc;

use http_body_util::{BodyExt as _, Collected};
use storage::{Cost, CostAccount};
use telemetry::{LimitedQuota, QuotaMetrics};
use tonic::body::Body;

use self::piecewise_body::PiecewiseBody;
use super::call_info::CallInfo;
use super::concurrent_calls::RETRY_AFTER;
use super::load_shed::Place;
use super::{HttpRequest, HttpResponse, Middleware, Next, code, reject};
use crate::error::RpcError;
use crate::in_flight::{AnswerRefusal, CallInFlight};

/// Keeps a call in flight until its caller has taken the answer. An answer for which there is no
/// room is rejected, unless its call has changed something. A response stream has a limit of its
/// own, and leaves its place when it begins.
#[derive(Clone)]
pub(crate) struct Answer(QuotaMetrics);

impl Answer {
    pub fn new() -> Self {
        Self(QuotaMetrics::new())
    }

    fn refuse(&self, refusal: AnswerRefusal) -> HttpResponse {
        self.0.refused(LimitedQuota::AnswerBytes);
        reject(match refusal {
            AnswerRefusal::Caller => RpcError::RateLimited {
                retry_after: RETRY_AFTER,
            },
            AnswerRefusal::All => RpcError::Overloaded(None),
        })
    }
}

impl Middleware for Answer {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        let method = CallInfo::of(&call).method;
        let is_stream = method.is_some_and(|method| method.is_stream);
        let may_be_rejected =
            !method.is_some_and(|method| method.is_stream || method.takes_request_id());
        let account: Option<CostAccount> = call.extensions().get().cloned();
        let held = Held {
            in_flight: call.extensions_mut().remove(),
            _place: call.extensions_mut().remove(),
            may_be_rejected,
        };
        if let Err(refusal) = held.may_answer() {
            return self.refuse(refusal);
        }
        let answer = next.run(call).await;
        if is_stream || code::of(answer.headers()).is_some() {
            return answer;
        }
        // Others may have come in between, and the answer is not encoded yet.
        if let Err(refusal) = held.may_answer() {
            return self.refuse(refusal);
        }
        let (parts, body) = answer.into_parts();
        let collected = match body.collect().await {
            Ok(collected) => collected,
            Err(status) => return status.into_http(),
        };
        let trailers = collected.trailers().cloned();
        let bytes = Collected::to_bytes(collected);
        // Also for an answer that is refused: it was made.
        account.unwrap_or_default().charge(Cost::Bytes(bytes.len()));
        if let Err(refusal) = held.count(bytes.len()) {
            return self.refuse(refusal);
        }
        let body = PiecewiseBody::new(bytes, trailers, held);
        HttpResponse::from_parts(parts, Body::new(body))
    }
}

/// Shares that a call holds until its answer has been taken.
struct Held {
    in_flight: Option<Arc<CallInFlight>>,
    _place: Option<Place>,
    /// True if the call changes nothing.
    may_be_rejected: bool,
}

impl Held {
    /// Returns whether an answer is to be made.
    fn may_answer(&self) -> Result<(), AnswerRefusal> {
        match &self.in_flight {
            Some(in_flight) if self.may_be_rejected => in_flight.may_answer(),
            _ => Ok(()),
        }
    }

    /// Counts the bytes of the answer.
    fn count(&self, bytes: usize) -> Result<(), AnswerRefusal> {
        match &self.in_flight {
            Some(in_flight) if self.may_be_rejected => in_flight.try_answer(bytes),
            Some(in_flight) => {
                in_flight.answer(bytes);
                Ok(())
            }
            None => Ok(()),
        }
    }
}
