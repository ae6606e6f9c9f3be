//! Traces: their export, and the continuation of a caller's trace.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TraceId, TracerProvider};
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, TracerProviderBuilder};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::SERVICE_NAME;

/// Time limit of one export to the collector.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Crates that export the traces themselves: tracing them would cause further exports without
/// end.
const EXPORTER_CRATES: [&str; 6] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "tonic",
    "tower",
];

/// Most detailed level of spans that are traced, independent of the log filter.
const SPANS_MAX: Level = Level::DEBUG;
/// Most detailed level of events that are traced with their spans.
const EVENTS_MAX: Level = Level::INFO;

/// Header with the trace and span of a caller, by the W3C.
const TRACEPARENT: &str = "traceparent";

/// Makes `span` a child of the caller's span, if traces are on and the headers have a valid W3C
/// `traceparent`. Returns the id of the trace that the call is part of, if any.
#[must_use]
pub fn adopt_parent(span: &Span, headers: &HeaderMap) -> Option<TraceId> {
    if let Some(parent) = parent(headers) {
        let id = parent.span().span_context().trace_id();
        // Fails only if traces are off, or off for this span.
        let _ = span.set_parent(parent);
        return Some(id);
    }
    if span.is_disabled() {
        return None;
    }
    let id = span.context().span().span_context().trace_id();
    (id != TraceId::INVALID).then_some(id)
}

fn parent(headers: &HeaderMap) -> Option<Context> {
    headers.get(TRACEPARENT)?;
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    parent.span().span_context().is_valid().then_some(parent)
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
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT);
    if endpoint.starts_with("https://") {
        let roots = ClientTlsConfig::new().with_native_roots();
        exporter = exporter.with_tls_config(roots);
    }
    let exporter = exporter.build()?;
    let provider = builder().with_resource(resource);
    Ok(provider.with_batch_exporter(exporter).build())
}

/// Returns the builder of a provider that traces all calls, whatever the flags of their parents are:
/// strangers would choose what is traced.
fn builder() -> TracerProviderBuilder {
    SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn)
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
    let level_max = if metadata.is_span() {
        SPANS_MAX
    } else {
        EVENTS_MAX
    };
    *metadata.level() <= level_max && !is_exporter(metadata.target())
}

fn is_exporter(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or(target);
    EXPORTER_CRATES.contains(&name)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::testing;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn trace_under(parent: &str) -> TraceId {
        let provider = builder().build();
        let subscriber = tracing_subscriber::registry().with(layer(&provider));
        testing::under(subscriber, || {
            let mut headers = HeaderMap::new();
            headers.insert(
                "traceparent",
                HeaderValue::from_str(parent).expect("a header"),
            );
            let span = tracing::debug_span!("call");
            let id = adopt_parent(&span, &headers);
            let context = span.context().span().span_context().clone();
            assert_eq!(id, Some(context.trace_id()));
            assert!(context.is_sampled(), "{parent}");
            id.expect("a trace")
        })
    }

    #[test]
    fn a_span_continues_the_trace_of_its_caller() {
        let id = trace_under(&format!("00-{TRACE}-00f067aa0ba902b7-01"));
        assert_eq!(id.to_string(), TRACE);
    }

    #[test]
    fn the_flag_of_a_caller_has_no_effect_on_sampling() {
        for flag in ["00", "01"] {
            let id = trace_under(&format!("00-{TRACE}-00f067aa0ba902b7-{flag}"));
            assert_eq!(id.to_string(), TRACE);
        }
    }

    #[test]
    fn a_malformed_parent_is_ignored() {
        assert_ne!(trace_under("00-nonsense-01").to_string(), TRACE);
    }

    #[test]
    fn a_call_without_traces_has_the_trace_of_its_caller() {
        let mut headers = HeaderMap::new();
        assert_eq!(adopt_parent(&Span::none(), &headers), None);
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        headers.insert(TRACEPARENT, parent.parse().expect("a header"));
        let id = adopt_parent(&Span::none(), &headers);
        assert_eq!(id.map(|id| id.to_string()).as_deref(), Some(TRACE));
    }

    #[test]
    fn an_exporter_crate_is_not_traced() {
        assert!(is_exporter("h2::codec::framed_read"));
        assert!(!is_exporter("rpc::stack"));
    }
}
