//! Traces: where they go, and how a call's trace goes on here.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::SERVICE_NAME;

/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What carries the traces themselves: traced, it would make traces without an end.
const CARRIERS: [&str; 6] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "tonic",
    "tower",
];

/// The most detailed spans that are traced, whatever is logged.
const SPANS_MAX: Level = Level::DEBUG;
/// The most detailed events that are traced with their spans.
const EVENTS_MAX: Level = Level::INFO;

/// Puts `span` under the trace that the caller began, if the headers tell of one
/// (`traceparent`, as the W3C has it) and traces are on.
pub fn adopt_parent(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() {
        return;
    }
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    if parent.span().span_context().is_valid() {
        // The one error is that traces are off, or not for this span.
        let _ = span.set_parent(parent);
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

pub(crate) fn provider(
    endpoint: &str,
    resource: Resource,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

pub(crate) fn layer<S>(provider: &SdkTracerProvider) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SERVICE_NAME))
        .with_filter(filter_fn(is_traced).with_max_level_hint(LevelFilter::from_level(SPANS_MAX)))
        .boxed()
}

fn is_traced(metadata: &Metadata<'_>) -> bool {
    let most = if metadata.is_span() {
        SPANS_MAX
    } else {
        EVENTS_MAX
    };
    *metadata.level() <= most && !is_carrier(metadata.target())
}

fn is_carrier(target: &str) -> bool {
    let room = target.split("::").next().unwrap_or(target);
    CARRIERS.contains(&room)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use opentelemetry::trace::{TraceContextExt, TraceId};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::testing;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn trace_under(parent: &str) -> TraceId {
        let provider = SdkTracerProvider::builder().build();
        let subscriber = tracing_subscriber::registry().with(layer(&provider));
        testing::under(subscriber, || {
            let mut headers = HeaderMap::new();
            headers.insert(
                "traceparent",
                HeaderValue::from_str(parent).expect("a header"),
            );
            let span = tracing::debug_span!("call");
            adopt_parent(&span, &headers);
            span.context().span().span_context().trace_id()
        })
    }

    #[test]
    fn a_span_goes_on_with_its_callers_trace() {
        let id = trace_under(&format!("00-{TRACE}-00f067aa0ba902b7-01"));
        assert_eq!(id.to_string(), TRACE);
    }

    #[test]
    fn a_malformed_parent_is_passed_over() {
        assert_ne!(trace_under("00-nonsense-01").to_string(), TRACE);
    }

    #[test]
    fn what_carries_traces_is_not_traced() {
        assert!(is_carrier("h2::codec::framed_read"));
        assert!(!is_carrier("rpc::stack"));
    }
}
