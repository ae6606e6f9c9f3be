//! Records of calls.

use std::borrow::Cow;
use std::error::Error as _;
use std::time::Instant;

use domain::AppId;
use http::HeaderMap;
use telemetry::{CallMetrics, error_chain};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tracing::{Level, event};

use crate::error::{RpcError, code_name};
use crate::layer::call_info::CallInfo;
use crate::layer::code;
use crate::methods::Access;

/// Record of a call, written when it is dropped. A call without an outcome by then was
/// cancelled.
pub(super) struct CallRecord {
    info: CallInfo,
    calls: CallMetrics,
    start: Instant,
    outcome: CallEnd,
}

/// Outcome of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallEnd {
    pub code: Code,
    pub reason: Option<Cow<'static, str>>,
    /// Cause of an error.
    pub error: Option<String>,
    /// HTTP status of a response that is not gRPC.
    pub http: Option<u16>,
}

impl CallEnd {
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
            reason: error.and_then(RpcError::reason).map(Cow::Borrowed),
            error: error.and_then(RpcError::source).map(error_chain),
            ..Self::of_code(status.code())
        }
    }

    /// Outcome in the trailers of a body, if they have one.
    pub fn of_trailers(trailers: &HeaderMap) -> Option<Self> {
        let code = code::of(trailers)?;
        let reason = Status::from_header_map(trailers)
            .filter(|_| code != Code::Ok)
            .and_then(|status| status.get_details_error_info())
            .map(|info| Cow::Owned(info.reason));
        Some(Self {
            reason,
            ..Self::of_code(code)
        })
    }
}

impl CallRecord {
    pub fn begin(info: CallInfo, calls: CallMetrics) -> Self {
        calls.started();
        Self {
            info,
            calls,
            start: Instant::now(),
            outcome: CallEnd::of_code(Code::Cancelled),
        }
    }

    pub fn close(&mut self, outcome: CallEnd) {
        self.outcome = outcome;
    }

    /// Returns the log level: DEBUG for successful calls of open methods, such as probes.
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
        // The level is part of an event's static metadata, so each level needs its own event.
        macro_rules! line {
            ($level:ident) => {
                event!(
                    Level::$level,
                    rpc.method = self.info.name(),
                    grpc.code = code_name(self.outcome.code),
                    http.status = self.outcome.http,
                    error.reason = self.outcome.reason.as_deref(),
                    error.source = self.outcome.error,
                    client.address = self.info.peer.map(|peer| display(peer.ip())),
                    client.port = self.info.peer.map(|peer| peer.port()),
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

impl Drop for CallRecord {
    fn drop(&mut self) {
        let elapsed = self.start.elapsed();
        self.calls
            .ended(self.info.name(), code_name(self.outcome.code), elapsed);
        self.write(elapsed.as_secs_f64() * 1000.0);
    }
}
