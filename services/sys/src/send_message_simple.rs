//! The app sends a text to named users.

use domain::operation::{SendMessage, Sent};
use domain::{Operation, Violations};
use proto::sys::v1::{SendMessageSimpleRequest, SendMessageSimpleResponse};
use rpc::convert::draft::Draft;
use rpc::convert::id;
use rpc::convert::time::timestamp;
use rpc::{Deadline, RpcError, System};
use storage::MailStore;
use tonic::Request;

use crate::from;

const METHOD: &str = "/postroom.sys.v1.Sys/SendMessageSimple";

pub async fn handle(
    store: &dyn MailStore,
    request: Request<SendMessageSimpleRequest>,
) -> Result<SendMessageSimpleResponse, RpcError> {
    let system = System::of(&request)?;
    let deadline = Deadline::of(&request)?.at();
    let operation = parse(request.into_inner())?;
    let sent = store.execute(system.app(), operation, deadline).await?;
    Ok(answer(sent))
}

fn parse(request: SendMessageSimpleRequest) -> Result<Operation<SendMessage>, Violations> {
    let mut violations = Violations::none();
    let draft = Draft::simple(
        &request.to,
        request.text,
        request.notification.as_ref(),
        request.expire_after,
        &mut violations,
    );
    let from = from::parse(request.sender, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let draft = violations.finish(draft)?;
    Ok(draft.send(from, METHOD, request_id.as_ref()))
}

fn answer(sent: Sent) -> SendMessageSimpleResponse {
    SendMessageSimpleResponse {
        message_id: sent.message_id.to_string(),
        requested: sent.requested,
        actual: sent.actual,
        send_time: Some(timestamp(sent.send_ms)),
        expire_time: Some(timestamp(sent.expire_ms)),
    }
}
