//! Records of calls.

use std::borrow::Cow;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Instant;

use domain::{ProfileId, RequestId};
use http::{HeaderMap, StatusCode};
use telemetry::error_chain;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tracing::{Level, event};

use super::LogParts;
use crate::error::{RpcError, code_name};
use crate::layer::call_info::CallInfo;
use crate::layer::code;
use crate::methods::Access;

/// Record of a call, written when it is dropped. A call without an outcome by then was
/// cancelled.
pub(super) struct CallRecord {
    info: CallInfo,
    log: Arc<LogParts>,
    start: Instant,
    outcome: CallEnd,
}

/// Fault that a call ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFault {
    /// None: a success, or an answer to what was asked for.
    None,
    /// The caller's: refused without a look at what was asked for.
    OfCaller,
    /// The server's.
    OfServer,
}

/// Outcome of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallEnd {
    pub code: Code,
    pub fault: CallFault,
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
            fault: match code {
                Code::DeadlineExceeded
                | Code::Unavailable
                | Code::Unknown
                | Code::Internal
                | Code::DataLoss => CallFault::OfServer,
                _ => CallFault::None,
            },
            reason: None,
            error: None,
            http: None,
        }
    }

    /// Outcome of a call that is not gRPC.
    pub fn of_http(status: StatusCode) -> Self {
        Self {
            fault: CallFault::OfCaller,
            http: Some(status.as_u16()),
            ..Self::of_code(Code::InvalidArgument)
        }
    }

    pub fn of_status(status: &Status) -> Self {
        let error = status.source().and_then(|source| source.downcast_ref());
        let end = Self::of_code(status.code());
        let is_refusal = error.is_some_and(RpcError::is_refusal);
        Self {
            fault: if is_refusal {
                CallFault::OfCaller
            } else {
                end.fault
            },
            reason: error.and_then(RpcError::reason).map(Cow::Borrowed),
            error: error.and_then(RpcError::source).map(error_chain),
            ..end
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
    pub fn begin(info: CallInfo, log: Arc<LogParts>) -> Self {
        log.calls.started();
        Self {
            info,
            log,
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

    /// Returns whether the line is logged. Callers can cause refusals and lines above INFO at will,
    /// so these are sampled.
    fn is_logged(&self, level: Level) -> bool {
        let is_sampled = level <= Level::WARN || self.outcome.fault == CallFault::OfCaller;
        !is_sampled || self.log.sampler.admits(&self.info, level)
    }

    fn write(&self, level: Level, duration_ms: f64) {
        let caller = self.info.caller();
        let signer = caller.map(|caller| &caller.signer);
        let app = caller.map(|caller| caller.app.as_str());
        let profile = caller.and_then(|caller| caller.profile.as_ref());
        let profile = profile.map(ProfileId::as_str);
        let request = self.info.request_id().map(RequestId::as_str);
        let pseudonym = |parts: &[&str]| self.log.pseudonym_key.pseudonym(parts);
        let app_or_none = app.unwrap_or_default();
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
                    app.id = app,
                    enduser.pseudo.id = profile.map(|id| pseudonym(&[app_or_none, id])),
                    issuer.iss = signer.map(|signer| &*signer.iss),
                    issuer.kid = signer.and_then(|signer| signer.kid.as_deref()),
                    trace_id = self.info.trace_id().map(display),
                    request.pseudo.id = request.map(|id| pseudonym(&[
                        app_or_none,
                        profile.unwrap_or_default(),
                        id
                    ])),
                    audit.call_id = self.info.call_id().map(display),
                    duration_ms,
                    "call.ended"
                )
            };
        }
        match level {
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
        let code = code_name(self.outcome.code);
        self.log.calls.ended(self.info.name(), code, elapsed);
        let level = self.level();
        if self.is_logged(level) {
            self.write(level, elapsed.as_secs_f64() * 1000.0);
        }
    }
}
