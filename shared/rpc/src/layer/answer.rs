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

/// Keeps a call in flight until its caller has taken the answer, and rejects it if the callers'
/// answers are too many bytes already. A response stream has a limit of its own, and leaves its
/// place when it begins.
#[derive(Clone)]
pub(crate) struct Answer(QuotaMetrics);

impl Answer {
    pub fn new() -> Self {
        Self(QuotaMetrics::new())
    }
}

impl Middleware for Answer {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        let is_stream = CallInfo::of(&call)
            .method
            .is_some_and(|method| method.is_stream);
        let held = Held {
            in_flight: call.extensions_mut().remove(),
            _place: call.extensions_mut().remove(),
        };
        let account = call.extensions().get::<CostAccount>().cloned();
        let answer = next.run(call).await;
        if is_stream || code::of(answer.headers()).is_some() {
            return answer;
        }
        hand_over(answer, held, account.unwrap_or_default())
            .await
            .unwrap_or_else(|refusal| {
                self.0.refused(LimitedQuota::AnswerBytes);
                reject(refused(&refusal))
            })
    }
}

/// Shares that a call holds.
struct Held {
    in_flight: Option<Arc<CallInFlight>>,
    _place: Option<Place>,
}

/// Returns the answer in pieces, with the shares of its call.
async fn hand_over(
    answer: HttpResponse,
    held: Held,
    account: CostAccount,
) -> Result<HttpResponse, AnswerRefusal> {
    let (parts, body) = answer.into_parts();
    let collected = match body.collect().await {
        Ok(collected) => collected,
        Err(status) => return Ok(status.into_http()),
    };
    let trailers = collected.trailers().cloned();
    let bytes = Collected::to_bytes(collected);
    if let Some(in_flight) = &held.in_flight {
        in_flight.answer(bytes.len())?;
    }
    account.charge(Cost::Bytes(bytes.len()));
    let body = PiecewiseBody::new(bytes, trailers, held);
    Ok(HttpResponse::from_parts(parts, Body::new(body)))
}

const fn refused(refusal: &AnswerRefusal) -> RpcError {
    match refusal {
        AnswerRefusal::Caller => RpcError::RateLimited {
            retry_after: RETRY_AFTER,
        },
        AnswerRefusal::All => RpcError::Overloaded(None),
    }
}
