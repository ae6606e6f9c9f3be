//! What is written down of a call.

use std::error::Error as _;
use std::time::Instant;

use domain::AppId;
use telemetry::{CallMetrics, error_chain};
use tonic::{Code, Status};
use tracing::{Level, event};

use crate::error::RpcError;
use crate::layer::code;
use crate::layer::info::Info;
use crate::methods::Access;

/// A call that has not been written down yet. It is when it is dropped: a call whose
/// outcome nobody knows was cancelled.
pub(super) struct Record {
    info: Info,
    calls: CallMetrics,
    start: Instant,
    outcome: Outcome,
}

/// How a call ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub code: Code,
    pub reason: Option<&'static str>,
    /// What is behind an error.
    pub error: Option<String>,
    /// The answer's status where it is not gRPC's.
    pub http: Option<u16>,
}

impl Outcome {
    pub const fn of_code(code: Code) -> Self {
        Self {
            code,
            reason: None,
            error: None,
            http: None,
        }
    }

    pub fn of_status(status: &Status) -> Self {
        let error = status.source().and_then(|source| source.downcast_ref());
        Self {
            reason: error.and_then(RpcError::reason),
            error: error.and_then(RpcError::source).map(error_chain),
            ..Self::of_code(status.code())
        }
    }
}

impl Record {
    pub fn begin(info: Info, calls: CallMetrics) -> Self {
        calls.started();
        Self {
            info,
            calls,
            start: Instant::now(),
            outcome: Outcome::of_code(Code::Cancelled),
        }
    }

    pub fn close(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// Probes that are well are worth a line only to those who look for it.
    fn level(&self) -> Level {
        let is_open = self
            .info
            .method
            .is_some_and(|method| method.access == Access::Open);
        match code::level(self.outcome.code) {
            Level::INFO if is_open => Level::DEBUG,
            level => level,
        }
    }

    fn write(&self, duration_ms: f64) {
        // The level is part of a line's static description, so each level has its own.
        macro_rules! line {
            ($level:ident) => {
                event!(
                    Level::$level,
                    rpc.method = self.info.name(),
                    grpc.code = code::name(self.outcome.code),
                    http.status = self.outcome.http,
                    error.reason = self.outcome.reason,
                    error.source = self.outcome.error,
                    app.id = self.info.app.get().map(AppId::as_str),
                    duration_ms,
                    "call.ended"
                )
            };
        }
        match self.level() {
            Level::ERROR => line!(ERROR),
            Level::WARN => line!(WARN),
            Level::INFO => line!(INFO),
            _ => line!(DEBUG),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let elapsed = self.start.elapsed();
        self.calls
            .ended(self.info.name(), code::name(self.outcome.code), elapsed);
        self.write(elapsed.as_secs_f64() * 1000.0);
    }
}
