//! `SendMessageSimple`: the app sends a text to named users.

use domain::operation::{SendMessage, Sent};
use domain::{Operation, Violations};
use proto::sys::v1::{SendMessageSimpleRequest, SendMessageSimpleResponse};
use rpc::convert::time::timestamp;
use rpc::convert::{draft, id};
use rpc::methods::sys::SEND_MESSAGE_SIMPLE;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

use crate::sender;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: SendMessageSimpleRequest,
    budget: Budget,
) -> Result<SendMessageSimpleResponse, RpcError> {
    let operation = parse(request)?;
    let sent = store
        .execute(system.app(), operation, budget)
        .await
        .map_err(|error| draft::error(error, "text"))?;
    Ok(answer(sent))
}

fn parse(mut request: SendMessageSimpleRequest) -> Result<Operation<SendMessage>, Violations> {
    let mut violations = Violations::none();
    let to = id::recipients(&request.to, &mut violations);
    let mut of_sender = Violations::none();
    let sender = sender::parse(request.sender.take(), &mut of_sender);
    let draft = draft::parse(&mut request, sender, to.as_deref(), &mut violations);
    violations.extend(of_sender);
    let request_id = id::request(&request.request_id, &mut violations);
    let (draft, to) = violations.finish(draft.zip(to))?;
    Ok(draft::send(
        draft,
        to,
        SEND_MESSAGE_SIMPLE.path,
        request_id.as_ref(),
    ))
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
