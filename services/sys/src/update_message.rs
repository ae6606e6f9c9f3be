//! `UpdateMessage`: the app updates the content of a message.

use domain::operation::{Revision, UpdateMessage};
use domain::{Operation, Violations};
use proto::sys::v1::{UpdateMessageRequest, UpdateMessageResponse};
use rpc::convert::content_update::ContentUpdate;
use rpc::convert::id;
use rpc::convert::time::timestamp;
use rpc::methods::sys::UPDATE_MESSAGE;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: UpdateMessageRequest,
    budget: Budget,
) -> Result<UpdateMessageResponse, RpcError> {
    let operation = parse(request)?;
    let revision = store.execute(system.app(), operation, budget).await?;
    Ok(answer(revision))
}

fn parse(request: UpdateMessageRequest) -> Result<Operation<UpdateMessage>, Violations> {
    let mut violations = Violations::none();
    let update = ContentUpdate::parse(
        &request.message_id,
        request.content,
        request.expected_version,
        &mut violations,
    );
    let request_id = id::request(&request.request_id, &mut violations);
    let update = violations.finish(update)?;
    Ok(Operation {
        request: update
            .canonical(UPDATE_MESSAGE.path)
            .of_app(request_id.as_ref()),
        action: UpdateMessage {
            message_id: update.message_id,
            content: update.content,
            expected_version: update.expected_version,
        },
    })
}

fn answer(revision: Revision) -> UpdateMessageResponse {
    UpdateMessageResponse {
        message_id: revision.message_id.to_string(),
        version: revision.version,
        update_time: Some(timestamp(revision.update_ms)),
        digest: revision.digest.to_vec(),
    }
}
