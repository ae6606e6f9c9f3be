//! Audit of calls.

mod hashed_body;

use std::sync::Arc;

use domain::Operation;
use domain::audit::{AuditKey, AuditKind, AuditedCall};
use domain::operation::RecordRead;
use storage::{Budget, MailStore};
use tonic::Request;
use tonic::body::Body;
use uuid::Uuid;

use self::hashed_body::HashedBody;
use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next};
use crate::error::RpcError;
use crate::methods::Method;

/// Audit of a listener's calls.
#[derive(Clone)]
pub struct CallAudit {
    /// Key of the hashes of requests.
    pub key: AuditKey,
    /// Store of the log.
    pub store: Arc<dyn MailStore>,
    /// Records reads of contents. Default true.
    pub reads: bool,
}

/// Adds an [`Auditor`] to the calls of methods that are audited.
#[derive(Clone)]
pub(crate) struct Audit(Option<Arc<CallAudit>>);

impl Audit {
    pub fn new(config: Option<CallAudit>) -> Self {
        Self(config.map(Arc::new))
    }
}

impl Middleware for Audit {
    async fn handle(&self, call: HttpRequest, next: &impl Next) -> HttpResponse {
        let info = CallInfo::of(&call);
        let auditor = self.0.as_ref().and_then(|config| {
            let call = audited(&info, &config.key)?;
            Some(Auditor {
                call: Arc::new(call),
                config: Arc::clone(config),
            })
        });
        let Some(auditor) = auditor else {
            return next.run(call).await;
        };
        let hasher = auditor.call.request.clone();
        info.set_call_id(auditor.call.call_id);
        let mut call = (*call).map(|body| Body::new(HashedBody::new(body, hasher)));
        call.extensions_mut().insert(auditor);
        next.run(Box::new(call)).await
    }
}

/// Returns the audited call; none if its method is not audited.
fn audited(info: &CallInfo, key: &AuditKey) -> Option<AuditedCall> {
    let method = info.method?;
    let (kind, caller) = (method.audit()?, info.caller()?);
    Some(AuditedCall {
        call_id: Uuid::new_v4(),
        method: method.name(),
        kind,
        subject: caller.subject.clone(),
        issuer: caller.signer.iss.clone(),
        key_id: caller.signer.kid.clone(),
        request: key.request_hasher(),
    })
}

/// Recorder of an audited call. An extension of the call.
#[derive(Clone)]
pub(crate) struct Auditor {
    call: Arc<AuditedCall>,
    config: Arc<CallAudit>,
}

impl Auditor {
    /// Returns the recorder of a call; none if its method is not audited.
    ///
    /// # Errors
    /// [`RpcError::Internal`] if there is none for a method that is audited.
    pub fn of<Q>(method: &Method, request: &Request<Q>) -> Result<Option<Self>, RpcError> {
        if method.audit().is_none() {
            return Ok(None);
        }
        let auditor = request.extensions().get::<Self>().cloned();
        auditor
            .map(Some)
            .ok_or_else(|| RpcError::internal("the call of an audited method is not audited"))
    }

    /// The call, if its changes are recorded with them.
    pub fn change(&self) -> Option<Arc<AuditedCall>> {
        (self.call.kind == AuditKind::Change).then(|| Arc::clone(&self.call))
    }

    /// Records a read that was carried out, before it is answered.
    ///
    /// # Errors
    /// [`RpcError::AuditUnavailable`] if it cannot be recorded, or [`RpcError::Deadline`].
    pub async fn record_read(&self, info: &CallInfo, budget: Budget) -> Result<(), RpcError> {
        let (AuditKind::Read, true) = (self.call.kind, self.config.reads) else {
            return Ok(());
        };
        let Some(caller) = info.caller() else {
            return Err(RpcError::internal("an audited call without a caller"));
        };
        let shown = info.shown();
        let operation = Operation::from(RecordRead {
            ids: shown.ids,
            messages: shown.messages,
        });
        let budget = Budget {
            audit: Some(Arc::clone(&self.call)),
            ..budget
        };
        let recorded = self.config.store.execute(&caller.app, operation, budget);
        match recorded.await {
            Ok(_) => Ok(()),
            Err(storage::Error::Deadline) => Err(RpcError::Deadline),
            Err(error) => Err(RpcError::AuditUnavailable(Arc::new(error))),
        }
    }
}
