//! The seam around every typed handler.

use storage::Budget;
use tonic::{Request, Response, Status};

use crate::caller::Proof;
use crate::deadline::Deadline;
use crate::error::RpcError;
use crate::layer::audit::Auditor;
use crate::layer::call_info::CallInfo;
use crate::methods::{Method, TypedMethod};

/// Result of a method of a generated service.
pub type GrpcResult<A> = Result<Response<A>, Status>;

/// Runs the handler of a method with the proof of the caller, the typed request, and the budget of
/// the call. Operations with the budget are audited if the method changes something of the app; a
/// read of contents is recorded before it is answered.
///
/// # Errors
/// The error of the handler; INTERNAL if the [stack](crate::stack) did not authorize a call of
/// this very method, or does not audit it; `AUDIT_UNAVAILABLE` if a read cannot be recorded.
pub async fn call<C, Q, A, F>(
    method: &TypedMethod<C>,
    request: Request<Q>,
    handler: impl FnOnce(C, Q, Budget) -> F,
) -> GrpcResult<A>
where
    C: Proof,
    F: Future<Output = Result<A, RpcError>>,
{
    let info = check_method(method, &request)?;
    let caller = C::of(&request)?;
    let auditor = Auditor::of(method, &request)?;
    let budget = Budget {
        deadline: Deadline::of(&request)?.at(),
        account: request.extensions().get().cloned().unwrap_or_default(),
        audit: auditor.as_ref().and_then(Auditor::change),
    };
    let handler = handler(caller, request.into_inner(), budget.clone());
    let answer = info.clone().handled(handler).await?;
    if let Some(auditor) = auditor {
        auditor.record_read(&info, budget).await?;
    }
    Ok(Response::new(answer))
}

/// Returns the facts about the call, if the proof in it is one for this method.
fn check_method<Q>(method: &Method, request: &Request<Q>) -> Result<CallInfo, RpcError> {
    let info = request.extensions().get::<CallInfo>();
    let authorized = info.filter(|info| info.method == Some(*method));
    authorized
        .cloned()
        .ok_or_else(|| RpcError::internal("the call was authorized for another method"))
}
