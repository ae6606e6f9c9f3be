//! The app deletes one message, if it has the expected version.

use domain::operation::DeleteMessage;
use domain::{Operation, Violations};
use proto::sys::v1::{DeleteMessageRequest, DeleteMessageResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{expected_version, id};
use rpc::{Deadline, RpcError, System};
use storage::MailStore;
use tonic::Request;

const METHOD: &str = "/postroom.sys.v1.Sys/DeleteMessage";

pub async fn handle(
    store: &dyn MailStore,
    request: Request<DeleteMessageRequest>,
) -> Result<DeleteMessageResponse, RpcError> {
    let system = System::of(&request)?;
    let deadline = Deadline::of(&request)?.at();
    let operation = parse(&request.into_inner())?;
    store.execute(system.app(), operation, deadline).await?;
    Ok(DeleteMessageResponse {})
}

fn parse(request: &DeleteMessageRequest) -> Result<Operation<DeleteMessage>, Violations> {
    let mut violations = Violations::none();
    let message_id = id::message(&request.message_id, &mut violations);
    let expected_version = expected_version::parse(request.expected_version, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    violations.check()?;
    Ok(Operation {
        request: Canonical::of(METHOD)
            .field(message_id.uuid())
            .field(expected_version::canonical(expected_version))
            .of_app(request_id.as_ref()),
        action: DeleteMessage {
            message_id,
            expected_version,
        },
    })
}
