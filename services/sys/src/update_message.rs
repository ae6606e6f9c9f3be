//! The app changes what a message says.

use domain::operation::{Revision, UpdateMessage};
use domain::{Operation, Violations};
use proto::sys::v1::{UpdateMessageRequest, UpdateMessageResponse};
use rpc::convert::id;
use rpc::convert::rewrite::Rewrite;
use rpc::convert::time::timestamp;
use rpc::{Deadline, RpcError, System};
use storage::MailStore;
use tonic::Request;

const METHOD: &str = "/postroom.sys.v1.Sys/UpdateMessage";

pub async fn handle(
    store: &dyn MailStore,
    request: Request<UpdateMessageRequest>,
) -> Result<UpdateMessageResponse, RpcError> {
    let system = System::of(&request)?;
    let deadline = Deadline::of(&request)?.at();
    let operation = parse(request.into_inner())?;
    let revision = store.execute(system.app(), operation, deadline).await?;
    Ok(answer(revision))
}

fn parse(request: UpdateMessageRequest) -> Result<Operation<UpdateMessage>, Violations> {
    let mut violations = Violations::none();
    let rewrite = Rewrite::parse(
        &request.message_id,
        request.content,
        request.expected_version,
        &mut violations,
    );
    let request_id = id::request(&request.request_id, &mut violations);
    let rewrite = violations.finish(rewrite)?;
    Ok(Operation {
        request: rewrite.canonical(METHOD).of_app(request_id.as_ref()),
        action: UpdateMessage {
            message_id: rewrite.message_id,
            content: rewrite.content,
            expected_version: rewrite.expected_version,
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
