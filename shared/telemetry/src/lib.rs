//! Logs, traces and metrics of the process.
//!
//! [`start`] sets up all three once per process and returns a [`Telemetry`], which flushes
//! pending spans when it is dropped. [`adopt_parent`] continues the caller's trace. The
//! instruments record what `/metrics` shows.

mod error_chain;
mod instruments;
mod logs;
mod metrics;
mod options;
mod start;
#[cfg(test)]
mod testing;
mod traces;

pub use error_chain::error_chain;
pub use instruments::{
    AnswerMetrics, BroadcastMetrics, CacheMetrics, CallMetrics, ClockMetrics, ConnectionEnd,
    ConnectionMetrics, EndReason, FeedMetrics, FrameKind, IssuerKeyMetrics, JobMetrics,
    LaneMetrics, LimitedQuota, OpenStream, PoolMetrics, PoolState, QueueState, QuotaMetrics,
    RunningStep, SettleMetrics, StatementMetrics, StreamMetrics, TokenMetrics, WakeupSource,
    observe_certificate,
};
pub use metrics::Metrics;
pub use opentelemetry::trace::TraceId;
pub use options::{Filter, FilterError, Format, Options};
pub use start::{Error, Telemetry, start};
pub use traces::adopt_parent;

/// Name of the service in traces and metrics.
const SERVICE_NAME: &str = "postroom";
