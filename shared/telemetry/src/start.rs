//! Setting telemetry up, and taking it down.

use std::time::Duration;

use opentelemetry::global;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::metrics::Metrics;
use crate::options::Options;
use crate::{SERVICE_NAME, logs, traces};

/// How long the last traces may take to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The traces' endpoint cannot be used.
    #[error("the endpoint for traces cannot be used")]
    Traces(#[from] ExporterBuildError),
    /// The metrics cannot be collected.
    #[error("metrics cannot be collected")]
    Metrics(#[from] OTelSdkError),
    /// Somebody else logs already.
    #[error("telemetry has been started twice")]
    Twice(#[from] TryInitError),
}

/// The process' telemetry. When it is dropped, what is still on its way is flushed, for
/// at most a second.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    traces: Option<SdkTracerProvider>,
}

/// Starts logs, metrics, and traces if they have an endpoint, for the whole process. Must
/// be called within a Tokio runtime.
///
/// # Errors
/// If the endpoint is malformed, or telemetry was started before.
pub fn start(options: &Options) -> Result<Telemetry, Error> {
    let resource = Resource::builder().with_service_name(SERVICE_NAME).build();
    let traces = options
        .otlp_endpoint
        .as_deref()
        .map(|endpoint| traces::provider(endpoint, resource.clone()))
        .transpose()?;
    let telemetry = Telemetry {
        metrics: Metrics::new(resource)?,
        traces,
    };

    global::set_meter_provider(telemetry.metrics.provider().clone());
    subscriber(options, telemetry.traces.as_ref()).try_init()?;
    Ok(telemetry)
}

/// Where spans and events go: what is logged does not decide what is traced.
fn subscriber(options: &Options, traces: Option<&SdkTracerProvider>) -> impl Subscriber + use<> {
    tracing_subscriber::registry()
        .with(logs::layer(options.format).with_filter(options.filter.to_env_filter()))
        .with(traces.map(traces::layer))
}

impl Telemetry {
    /// What has been measured.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let traces = self
            .traces
            .take()
            .map(|traces| traces.shutdown_with_timeout(FLUSH_TIMEOUT));
        if let Some(Err(error)) = traces {
            tracing::warn!(%error, "the last traces were not delivered");
        }
        if let Err(error) = self.metrics.shutdown() {
            tracing::warn!(%error, "the metrics did not shut down");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::debug_span;

    use super::*;
    use crate::options::Filter;
    use crate::testing;

    /// Whether a call's span is made.
    fn makes_spans(log: &str, traces: Option<&SdkTracerProvider>) -> bool {
        let options = Options {
            filter: Filter::parse(log).expect("a filter"),
            ..Options::default()
        };
        testing::under(subscriber(&options, traces), || {
            !debug_span!("call").is_disabled()
        })
    }

    #[test]
    fn spans_are_made_for_those_who_trace_whatever_is_logged() {
        let provider = SdkTracerProvider::builder().build();
        for log in ["off", "warn", "info"] {
            assert!(makes_spans(log, Some(&provider)), "{log}");
            assert!(!makes_spans(log, None), "{log}");
        }
    }
}
