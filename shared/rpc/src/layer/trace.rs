//! A span for each call, under the caller's trace if it has one.

use telemetry::adopt_parent;
use tonic::Code;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use super::info::Info;
use super::{Answer, Around, Call, Next, code};

/// Spans with the fields that OpenTelemetry has for RPCs. They are for traces: the log has
/// one line for each call anyway, so that without traces there is no span either.
#[derive(Clone)]
pub(crate) struct Trace;

impl Around for Trace {
    async fn around(&self, call: Call, next: &impl Next) -> Answer {
        let span = span(Info::of(&call).name());
        adopt_parent(&span, call.headers());
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

fn record(span: &Span, answer: &Answer) {
    let code = code::of_answer(answer).unwrap_or(Code::Ok);
    span.record("rpc.grpc.status_code", code as i32);
    if is_servers_fault(code) {
        span.record("otel.status_code", "ERROR");
    }
}

/// The codes that OpenTelemetry counts as errors of a server.
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
