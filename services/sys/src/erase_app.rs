//! `EraseApp`: the app erases itself.

use domain::operation::EraseApp;
use domain::{AppId, Operation, Violations};
use proto::sys::v1::{EraseAppRequest, EraseAppResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{id, time};
use rpc::methods::sys::ERASE_APP;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: EraseAppRequest,
    budget: Budget,
) -> Result<EraseAppResponse, RpcError> {
    let operation = parse(&request, system.app())?;
    let erasure = store.execute(system.app(), operation, budget).await?;
    Ok(EraseAppResponse {
        erase_time: erasure.at.map(time::timestamp),
    })
}

fn parse(request: &EraseAppRequest, app: &AppId) -> Result<Operation<EraseApp>, Violations> {
    let mut violations = Violations::none();
    if request.app_id != app.as_str() {
        violations.invalid("app_id", "must be the app of the token");
    }
    let request_id = id::request(&request.request_id, &mut violations);
    let cancel = request.cancel;
    let action = violations.finish(Some(EraseApp { cancel }))?;
    Ok(Operation {
        request: Canonical::of(ERASE_APP.path)
            .list(cancel.then_some([1]))
            .of_app(request_id.as_ref()),
        action,
    })
}
