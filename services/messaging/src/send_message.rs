//! `SendMessage`: a user sends a message.

use domain::operation::{SendMessage, Sent};
use domain::{Operation, Sender, Violations};
use proto::v1::{SendMessageRequest, SendMessageResponse};
use rpc::convert::time::timestamp;
use rpc::convert::{draft, id};
use rpc::methods::messaging::SEND_MESSAGE;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: SendMessageRequest,
    budget: Budget,
) -> Result<SendMessageResponse, RpcError> {
    let operation = parse(user.sender(), request)?;
    let sent = store.execute(user.app(), operation, budget).await?;
    Ok(answer(sent))
}

fn parse(
    sender: Sender,
    mut request: SendMessageRequest,
) -> Result<Operation<SendMessage>, Violations> {
    let mut violations = Violations::none();
    let to = id::recipients(&request.to, &mut violations);
    let draft = draft::parse(&mut request, sender, to.as_deref(), &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    id::no_conversation(&request.conversation_id, "conversation_id", &mut violations);
    let (draft, to) = violations.finish(draft.zip(to))?;
    Ok(draft::send(
        draft,
        to,
        SEND_MESSAGE.path,
        request_id.as_ref(),
    ))
}

fn answer(sent: Sent) -> SendMessageResponse {
    SendMessageResponse {
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
    use crate::testing::{alice, content, fields, fingerprint, texts};

    fn sender(name: &str) -> Sender {
        Sender {
            profile_id: Some(alice()),
            name: name.into(),
            ..Sender::default()
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let request = SendMessageRequest {
            request_id: "a b".into(),
            conversation_id: "c".into(),
            ..SendMessageRequest::default()
        };
        let violations = parse(sender(""), request).expect_err("violations");
        assert_eq!(
            fields(&violations),
            ["to", "content", "request_id", "conversation_id"]
        );
    }

    #[test]
    fn a_retry_with_a_newer_token_is_the_same_request() {
        let send = |name| {
            let request = SendMessageRequest {
                to: texts(&["bob"]),
                content: Some(content("hi")),
                request_id: "once".into(),
                ..SendMessageRequest::default()
            };
            parse(sender(name), request).expect("an operation")
        };
        assert_eq!(fingerprint(&send("old")), fingerprint(&send("new")));
    }
}
