//! The app deletes messages, whatever their version.

use domain::operation::DeleteMessages;
use domain::{Operation, Violations};
use proto::sys::v1::{DeleteMessagesRequest, DeleteMessagesResponse};
use rpc::convert::id;
use rpc::convert::idempotency::Canonical;
use rpc::convert::message_ids::MessageIds;
use rpc::{Deadline, RpcError, System};
use storage::MailStore;
use tonic::Request;

const METHOD: &str = "/postroom.sys.v1.Sys/DeleteMessages";

pub async fn handle(
    store: &dyn MailStore,
    request: Request<DeleteMessagesRequest>,
) -> Result<DeleteMessagesResponse, RpcError> {
    let system = System::of(&request)?;
    let deadline = Deadline::of(&request)?.at();
    let (operation, requested) = parse(&request.into_inner())?;
    let actual = store.execute(system.app(), operation, deadline).await?;
    Ok(DeleteMessagesResponse { requested, actual })
}

/// The operation, and how many messages it names.
fn parse(request: &DeleteMessagesRequest) -> Result<(Operation<DeleteMessages>, u32), Violations> {
    let mut violations = Violations::none();
    let message_ids = MessageIds::parse(&request.message_ids, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    violations.check()?;
    let operation = Operation {
        request: Canonical::of(METHOD)
            .list(message_ids.canonical())
            .of_app(request_id.as_ref()),
        action: DeleteMessages {
            message_ids: message_ids.to_vec(),
        },
    };
    Ok((operation, message_ids.requested()))
}
