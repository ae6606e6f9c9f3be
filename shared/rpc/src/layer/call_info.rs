//! Facts about a call that its layers share.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use auth::TokenSigner;
use domain::{AppId, ProfileId, RequestId};
use telemetry::TraceId;

use super::HttpRequest;
use crate::methods::Method;

tokio::task_local! {
    /// Call whose handler runs.
    static HANDLED: CallInfo;
}

/// Facts about a call. Clones share those that are found later.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallInfo {
    /// Method; none for an unknown path.
    pub method: Option<Method>,
    /// Address of the peer, which may be a proxy.
    pub peer: Option<SocketAddr>,
    found: Arc<FoundFacts>,
}

/// Facts that layers and handlers find, each at most once.
#[derive(Debug, Default)]
struct FoundFacts {
    caller: OnceLock<CallerFacts>,
    trace_id: OnceLock<TraceId>,
    request_id: OnceLock<RequestId>,
}

/// Facts about an authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct CallerFacts {
    pub app: AppId,
    /// Profile; none for the app itself.
    pub profile: Option<ProfileId>,
    pub signer: TokenSigner,
}

impl CallInfo {
    pub fn new(method: Option<Method>, peer: Option<SocketAddr>) -> Self {
        Self {
            method,
            peer,
            found: Arc::default(),
        }
    }

    pub fn of(call: &HttpRequest) -> Self {
        call.extensions().get().cloned().unwrap_or_default()
    }

    /// Returns the name of the method, one of a fixed list for any path.
    pub fn name(&self) -> &'static str {
        self.method.map_or("_OTHER", |method| method.name())
    }

    /// Caller, set after authentication.
    pub fn caller(&self) -> Option<&CallerFacts> {
        self.found.caller.get()
    }

    pub fn set_caller(&self, caller: CallerFacts) {
        let _ = self.found.caller.set(caller);
    }

    /// Id of the call's W3C trace, if it is part of one.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.found.trace_id.get().copied()
    }

    pub fn set_trace_id(&self, id: TraceId) {
        let _ = self.found.trace_id.set(id);
    }

    /// Id that the request has, set when its handler has parsed it.
    pub fn request_id(&self) -> Option<&RequestId> {
        self.found.request_id.get()
    }

    /// Runs the handler of the call, within which [`note_request_id`] is about this call.
    pub async fn handled<F: Future>(self, handler: F) -> F::Output {
        HANDLED.scope(self, handler).await
    }
}

/// Notes the request id of the call whose handler runs; nothing outside of a handler.
pub(crate) fn note_request_id(id: &RequestId) {
    let _ = HANDLED.try_with(|info| info.found.request_id.set(id.clone()));
}
