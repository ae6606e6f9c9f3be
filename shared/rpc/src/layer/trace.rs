//! Spans of calls.

use telemetry::adopt_parent;
use tonic::Code;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, code};

/// Runs each call in a span with OpenTelemetry's fields for RPCs, under the caller's trace if
/// there is one. Without tracing there are no spans: the access log has a line for each call.
#[derive(Clone)]
pub(crate) struct Trace;

impl Middleware for Trace {
    async fn handle(&self, call: HttpRequest, next: &impl Next) -> HttpResponse {
        let info = CallInfo::of(&call);
        let span = span(info.name());
        if let Some(id) = adopt_parent(&span, call.headers()) {
            info.set_trace_id(id);
        }
        let answer = next.run(call).instrument(span.clone()).await;
        record(&span, &answer);
        answer
    }
}

fn span(name: &'static str) -> Span {
    let (service, method) = name.split_once('/').unwrap_or(("", name));
    debug_span!(
        "call",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = Empty,
    )
}

fn record(span: &Span, answer: &HttpResponse) {
    let code = code::of_answer(answer).unwrap_or(Code::Ok);
    span.record("rpc.grpc.status_code", code as i32);
    if is_servers_fault(code) {
        span.record("otel.status_code", "ERROR");
    }
}

/// Returns true for the codes that OpenTelemetry counts as server errors.
const fn is_servers_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
