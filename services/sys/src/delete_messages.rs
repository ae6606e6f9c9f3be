//! `DeleteMessages`: the app deletes messages of any version.

use domain::operation::DeleteMessages;
use domain::{Operation, Violations};
use proto::sys::v1::{DeleteMessagesRequest, DeleteMessagesResponse};
use rpc::convert::id;
use rpc::convert::idempotency::Canonical;
use rpc::convert::message_ids::RequestedIds;
use rpc::methods::sys::DELETE_MESSAGES;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: DeleteMessagesRequest,
    budget: Budget,
) -> Result<DeleteMessagesResponse, RpcError> {
    let (operation, requested) = parse(&request)?;
    let actual = store.execute(system.app(), operation, budget).await?;
    Ok(DeleteMessagesResponse { requested, actual })
}

/// Returns the operation, and the number of messages that it names.
fn parse(request: &DeleteMessagesRequest) -> Result<(Operation<DeleteMessages>, u32), Violations> {
    let mut violations = Violations::none();
    let message_ids = RequestedIds::parse(&request.message_ids, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    violations.check()?;
    let operation = Operation {
        request: Canonical::of(DELETE_MESSAGES.path)
            .list(message_ids.canonical())
            .of_app(request_id.as_ref()),
        action: DeleteMessages::new(message_ids.to_vec()),
    };
    Ok((operation, message_ids.requested()))
}
