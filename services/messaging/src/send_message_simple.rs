//! `SendMessageSimple`: a user sends a text.

use domain::operation::{SendMessage, Sent};
use domain::{Operation, Sender, Violations};
use proto::v1::{SendMessageSimpleRequest, SendMessageSimpleResponse};
use rpc::convert::time::timestamp;
use rpc::convert::{draft, id};
use rpc::methods::messaging::SEND_MESSAGE_SIMPLE;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: SendMessageSimpleRequest,
    budget: Budget,
) -> Result<SendMessageSimpleResponse, RpcError> {
    let operation = parse(user.sender(), request)?;
    let sent = store
        .execute(user.app(), operation, budget)
        .await
        .map_err(|error| draft::error(error, "text"))?;
    Ok(answer(sent))
}

fn parse(
    sender: Sender,
    mut request: SendMessageSimpleRequest,
) -> Result<Operation<SendMessage>, Violations> {
    let mut violations = Violations::none();
    let to = id::recipients(&request.to, &mut violations);
    let draft = draft::parse(&mut request, sender, to.as_deref(), &mut violations);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, fields};

    #[test]
    fn all_violations_are_reported_together() {
        let sender = Sender {
            profile_id: Some(alice()),
            ..Sender::default()
        };
        let request = SendMessageSimpleRequest::default();
        let violations = parse(sender, request).expect_err("violations");
        assert_eq!(fields(&violations), ["to", "text"]);
    }
}
