//! Logs, traces and metrics: how Postroom tells what it does.
//!
//! [`start`] sets the three of them up once per process and answers a [`Telemetry`], which
//! flushes what is still on its way when it is dropped, however the program ends. The
//! rest is for those who have something to tell: [`adopt_parent`] puts a span under its
//! caller's trace, [`Calls`] measures calls.

mod calls;
mod logs;
mod metrics;
mod options;
mod start;
#[cfg(test)]
mod testing;
mod traces;

pub use calls::Calls;
pub use metrics::Metrics;
pub use options::{Filter, FilterError, Format, Options};
pub use start::{Error, Telemetry, start};
pub use traces::adopt_parent;

/// What the process is called in traces and metrics.
const SERVICE_NAME: &str = "postroom";
