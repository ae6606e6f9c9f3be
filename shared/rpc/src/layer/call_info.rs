//! Facts about a call that its layers share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use auth::TokenSigner;
use domain::audit::{AuditId, AuditKind};
use domain::limits::AUDIT_IDS_MAX;
use domain::{AppId, MessageId, ProfileId, RequestId};
use telemetry::TraceId;
use uuid::Uuid;

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
    call_id: OnceLock<Uuid>,
    shown: Mutex<Shown>,
}

/// Contents that an audited read has shown so far, and whose they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// Profiles of the request, and messages; as many as a record of the audit log takes.
    pub ids: Vec<AuditId>,
    /// Number of messages.
    pub messages: u32,
}

/// Facts about an authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct CallerFacts {
    pub app: AppId,
    /// Profile; none for the app itself.
    pub profile: Option<ProfileId>,
    /// Subject of the app's token.
    pub subject: Option<Arc<str>>,
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

    /// Id of the call in the audit log, if it is audited.
    pub fn call_id(&self) -> Option<Uuid> {
        self.found.call_id.get().copied()
    }

    pub fn set_call_id(&self, id: Uuid) {
        let _ = self.found.call_id.set(id);
    }

    /// Contents that an audited read has shown.
    pub fn shown(&self) -> Shown {
        let shown = self.found.shown.lock();
        shown.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, id: AuditId) {
        let is_read = |method: Method| method.audit() == Some(AuditKind::Read);
        if !self.method.is_some_and(is_read) {
            return;
        }
        let mut shown = self
            .found
            .shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        shown.messages += u32::from(matches!(id, AuditId::Message(_)));
        if shown.ids.len() < AUDIT_IDS_MAX {
            shown.ids.push(id);
        }
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

/// Notes a message that the handler of a call shows, for the audit log.
pub(crate) fn note_shown(id: MessageId) {
    let _ = HANDLED.try_with(|info| info.note(AuditId::Message(id)));
}

/// Notes a profile that the request of a call names, for the audit log.
pub(crate) fn note_profile(profile: &ProfileId) {
    let _ = HANDLED.try_with(|info| info.note(AuditId::Profile(profile.clone())));
}
