//! `DeleteMessage`: the app deletes a message if it has the expected version.

use domain::operation::DeleteMessage;
use domain::{Operation, Violations};
use proto::sys::v1::{DeleteMessageRequest, DeleteMessageResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{expected_version, id};
use rpc::methods::sys::DELETE_MESSAGE;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: DeleteMessageRequest,
    budget: Budget,
) -> Result<DeleteMessageResponse, RpcError> {
    let operation = parse(&request)?;
    store.execute(system.app(), operation, budget).await?;
    Ok(DeleteMessageResponse {})
}

fn parse(request: &DeleteMessageRequest) -> Result<Operation<DeleteMessage>, Violations> {
    let mut violations = Violations::none();
    let message_id = id::message(&request.message_id, &mut violations);
    let expected_version = expected_version::parse(request.expected_version, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    violations.check()?;
    Ok(Operation {
        request: Canonical::of(DELETE_MESSAGE.path)
            .field(message_id.uuid())
            .field(expected_version::canonical(expected_version))
            .of_app(request_id.as_ref()),
        action: DeleteMessage {
            message_id,
            expected_version,
        },
    })
}
