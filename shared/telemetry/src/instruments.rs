//! Instruments of the process' metrics, one file per subject.
//!
//! Names are those of the OpenTelemetry semantic conventions where they have one, otherwise
//! `postroom.<area>.<thing>`. Instruments record into the process' metrics if they were created
//! after [`start`](crate::start), and nowhere before it. Attributes are from closed lists,
//! static or configured, never input of callers, so that the number of series is bounded.

mod answers;
mod broadcast;
mod caches;
mod calls;
mod certificates;
mod clock;
mod connections;
mod feed;
mod issuers;
mod jobs;
mod lanes;
mod log;
mod pool;
mod quotas;
mod settles;
mod statements;
mod streams;
#[cfg(test)]
mod tests;
mod tokens;

use std::time::Duration;

use opentelemetry::global;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};

pub use answers::AnswerMetrics;
pub use broadcast::BroadcastMetrics;
pub use caches::CacheMetrics;
pub use calls::CallMetrics;
pub use certificates::observe_certificate;
pub use clock::ClockMetrics;
pub use connections::{ConnectionEnd, ConnectionMetrics};
pub use feed::{FeedMetrics, WakeupSource};
pub use issuers::IssuerKeyMetrics;
pub use jobs::{JobMetrics, RunningStep};
pub use lanes::{LaneMetrics, QueueState};
pub(crate) use log::observe_dropped_lines;
pub use pool::{PoolMetrics, PoolState};
pub use quotas::{LimitedQuota, QuotaMetrics};
pub use settles::SettleMetrics;
pub use statements::StatementMetrics;
pub use streams::{EndReason, FrameKind, OpenStream, StreamMetrics};
pub use tokens::TokenMetrics;

use crate::SERVICE_NAME;

/// Bucket boundaries of durations, in seconds: from a read in memory to the longest deadline.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0,
];

/// The meter of all instruments.
fn meter() -> Meter {
    global::meter(SERVICE_NAME)
}

fn duration(meter: &Meter, name: &'static str, description: &'static str) -> Histogram<f64> {
    meter
        .f64_histogram(name)
        .with_unit("s")
        .with_description(description)
        .with_boundaries(SECONDS.to_vec())
        .build()
}

fn counter(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    description: &'static str,
) -> Counter<u64> {
    meter
        .u64_counter(name)
        .with_unit(unit)
        .with_description(description)
        .build()
}

fn up_down_counter(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    description: &'static str,
) -> UpDownCounter<i64> {
    meter
        .i64_up_down_counter(name)
        .with_unit(unit)
        .with_description(description)
        .build()
}

fn gauge(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    description: &'static str,
) -> Gauge<f64> {
    meter
        .f64_gauge(name)
        .with_unit(unit)
        .with_description(description)
        .build()
}

/// Registers a gauge whose value is computed at each scrape.
fn observed_gauge(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    value: impl Fn() -> f64 + Send + Sync + 'static,
) {
    meter
        .f64_observable_gauge(name)
        .with_unit(unit)
        .with_description(description)
        .with_callback(move |gauge| gauge.observe(value(), &[]))
        .build();
}

/// Seconds of an age; 0 if there is nothing to have one.
fn age_s(age: Option<Duration>) -> f64 {
    age.unwrap_or_default().as_secs_f64()
}
