//! `SendMessage`: the app sends a message to named users.

use domain::operation::{SendMessage, Sent};
use domain::{Operation, Violations};
use proto::sys::v1::{SendMessageRequest, SendMessageResponse};
use rpc::convert::time::timestamp;
use rpc::convert::{draft, id};
use rpc::methods::sys::SEND_MESSAGE;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

use crate::sender;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: SendMessageRequest,
    budget: Budget,
) -> Result<SendMessageResponse, RpcError> {
    let operation = parse(request)?;
    let sent = store.execute(system.app(), operation, budget).await?;
    Ok(answer(sent))
}

fn parse(mut request: SendMessageRequest) -> Result<Operation<SendMessage>, Violations> {
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
    use domain::Reason;
    use proto::v1::{Content, Sender, content::Body};

    use super::*;

    fn request(name: &str) -> SendMessageRequest {
        SendMessageRequest {
            to: vec!["bob".into()],
            content: Some(Content {
                body: Some(Body::Json(b"\x20\x01"[..].into())),
            }),
            sender: Some(Sender {
                name: name.into(),
                ..Sender::default()
            }),
            request_id: "once".into(),
            ..SendMessageRequest::default()
        }
    }

    #[test]
    fn a_sender_without_a_name_has_its_own_reason() {
        let violations = parse(request("")).expect_err("violations");
        assert_eq!(violations.reason(), Reason::SenderNameRequired);
    }

    #[test]
    fn another_name_is_another_request() {
        let once = |name| parse(request(name)).expect("an operation").request;
        assert_eq!(once("News"), once("News"));
        assert_ne!(once("News"), once("Olds"));
    }
}
