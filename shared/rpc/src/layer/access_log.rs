//! Access log: one line for each call, when it has ended.

mod call_record;
mod line_sampler;
mod observed_body;
mod pseudonym;

use std::sync::Arc;

use http::StatusCode;
use telemetry::CallMetrics;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;

use self::call_record::{CallEnd, CallFault, CallRecord};
use self::line_sampler::LineSampler;
use self::observed_body::ObservedBody;
pub use self::pseudonym::PseudonymKey;
use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, code};
use crate::methods::{Access, Methods};
use crate::refusal_streak::RefusalStreak;

/// Looks up the method of a call, and records its end in the log and the metrics.
#[derive(Clone)]
pub(crate) struct AccessLog(Arc<LogParts>);

/// Parts that all records of calls share.
struct LogParts {
    methods: Methods,
    calls: CallMetrics,
    sampler: Arc<LineSampler>,
    pseudonym_key: PseudonymKey,
}

impl AccessLog {
    /// Log with this key of its pseudonyms. Requires a tokio runtime.
    pub fn new(methods: Methods, pseudonym_key: PseudonymKey) -> Self {
        Self(Arc::new(LogParts {
            methods,
            calls: CallMetrics::new(),
            sampler: LineSampler::start(pseudonym_key),
            pseudonym_key,
        }))
    }
}

impl Middleware for AccessLog {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        let peer = call.extensions().get::<TcpConnectInfo>();
        let info = CallInfo::new(
            self.0.methods.find(call.uri().path()),
            peer.and_then(TcpConnectInfo::remote_addr),
        );
        let streak = call.extensions().get::<RefusalStreak>().cloned();
        call.extensions_mut().insert(info.clone());
        let record = CallRecord::begin(info.clone(), self.0.clone());
        let answer = next.run(call).await;
        let outcome = outcome(&answer);
        if let Some(streak) = streak {
            judge(&streak, &info, outcome.as_ref());
        }
        observe(answer, record, outcome)
    }
}

/// Counts a refused call of a connection, or ends the row of them. Open methods end no row:
/// anyone may call them.
fn judge(streak: &RefusalStreak, info: &CallInfo, outcome: Option<&CallEnd>) {
    let is_open = info.method.is_some_and(|it| it.access == Access::Open);
    match outcome.map_or(CallFault::None, |end| end.fault) {
        CallFault::OfCaller => streak.extend(),
        CallFault::None if !is_open => streak.reset(),
        CallFault::None | CallFault::OfServer => {}
    }
}

/// Closes the record if the response is complete, otherwise when its body ends.
fn observe(answer: HttpResponse, mut record: CallRecord, outcome: Option<CallEnd>) -> HttpResponse {
    if let Some(outcome) = outcome {
        record.close(outcome);
        return answer;
    }
    answer.map(|body| Body::new(ObservedBody::new(body, record)))
}

/// Returns the outcome of a call if its headers contain it.
fn outcome(answer: &HttpResponse) -> Option<CallEnd> {
    if let Some(status) = answer.extensions().get::<Status>() {
        return Some(CallEnd::of_status(status));
    }
    let is_grpc = answer.status() == StatusCode::OK;
    if is_grpc {
        return code::of_answer(answer).map(CallEnd::of_code);
    }
    Some(CallEnd::of_http(answer.status()))
}
