//! Start and shutdown of telemetry.

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

use crate::instruments::observe_dropped_lines;
use crate::logs::{LogWriter, log_panics};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::{SERVICE_NAME, traces};

/// Time to flush pending spans at shutdown, so that an absent collector does not hold up the
/// exit.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Error of [`start`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The OTLP endpoint is malformed.
    #[error("the OTLP endpoint for traces is not usable")]
    Traces(#[from] ExporterBuildError),
    /// The metrics exporter could not be built.
    #[error("the metrics exporter could not be built")]
    Metrics(#[from] OTelSdkError),
    /// A global subscriber was installed before.
    #[error("telemetry was started twice")]
    Twice(#[from] TryInitError),
}

/// The process' telemetry. Dropping it flushes pending spans and log lines, for at most a second
/// each.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    traces: Option<SdkTracerProvider>,
    /// Dropped last: the end of the others is logged.
    log: LogWriter,
}

/// Starts logs and metrics, and traces if they have an endpoint, for the whole process. Must
/// be called within a Tokio runtime, and before any instrument is created.
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
        log: LogWriter::start(),
    };

    global::set_meter_provider(telemetry.metrics.provider().clone());
    observe_dropped_lines(telemetry.log.dropped());
    subscriber(options, &telemetry.log, telemetry.traces.as_ref()).try_init()?;
    log_panics();
    Ok(telemetry)
}

/// Returns the subscriber of spans and events. The log filter does not apply to traces.
fn subscriber(
    options: &Options,
    log: &LogWriter,
    traces: Option<&SdkTracerProvider>,
) -> impl Subscriber + use<> {
    tracing_subscriber::registry()
        .with(
            log.layer(options.format)
                .with_filter(options.filter.to_env_filter()),
        )
        .with(traces.map(traces::layer))
}

impl Telemetry {
    /// The process' metrics.
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
            tracing::warn!(%error, "telemetry.traces_lost");
        }
        if let Err(error) = self.metrics.shutdown() {
            tracing::warn!(%error, "telemetry.metrics_shutdown_failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::debug_span;

    use super::*;
    use crate::options::Filter;
    use crate::testing;

    /// Creates a call's span under that subscriber, and returns whether it is enabled.
    fn enables_spans(log: &str, traces: Option<&SdkTracerProvider>) -> bool {
        let options = Options {
            filter: Filter::parse(log).expect("a filter"),
            ..Options::default()
        };
        testing::under(subscriber(&options, &LogWriter::start(), traces), || {
            !debug_span!("call").is_disabled()
        })
    }

    #[test]
    fn a_span_is_enabled_by_tracing_and_not_by_the_log_filter() {
        let provider = SdkTracerProvider::builder().build();
        for log in ["off", "warn", "info"] {
            assert!(enables_spans(log, Some(&provider)), "{log}");
            assert!(!enables_spans(log, None), "{log}");
        }
    }
}
