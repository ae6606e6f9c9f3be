//! Access log: one line for each call, when it has ended.

mod call_record;
mod observed_body;

use std::sync::Arc;

use http::StatusCode;
use telemetry::CallMetrics;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;

use self::call_record::{CallEnd, CallRecord};
use self::observed_body::ObservedBody;
use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, code};
use crate::methods::Methods;

/// Looks up the method of a call, and records its end in the log and the metrics.
#[derive(Clone)]
pub(crate) struct AccessLog {
    methods: Arc<Methods>,
    calls: CallMetrics,
}

impl AccessLog {
    pub fn new(methods: Methods) -> Self {
        Self {
            methods: Arc::new(methods),
            calls: CallMetrics::new(),
        }
    }
}

impl Middleware for AccessLog {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        let info = CallInfo {
            method: self.methods.find(call.uri().path()),
            peer: call
                .extensions()
                .get()
                .and_then(TcpConnectInfo::remote_addr),
            ..CallInfo::default()
        };
        call.extensions_mut().insert(info.clone());
        let record = CallRecord::begin(info, self.calls.clone());
        observe(next.run(call).await, record)
    }
}

/// Closes the record if the response is complete, otherwise when its body ends.
fn observe(answer: HttpResponse, mut record: CallRecord) -> HttpResponse {
    if let Some(outcome) = outcome(&answer) {
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
    Some(CallEnd {
        http: (!is_grpc).then(|| answer.status().as_u16()),
        ..CallEnd::of_code(code::of_answer(answer)?)
    })
}
