//! A user sends a text.

use domain::operation::{SendMessage, Sent};
use domain::{Operation, Sender, Violations};
use proto::v1::{SendMessageSimpleRequest, SendMessageSimpleResponse};
use rpc::convert::draft::Draft;
use rpc::convert::id;
use rpc::convert::time::timestamp;
use rpc::{Deadline, RpcError, User};
use storage::MailStore;
use tonic::Request;

const METHOD: &str = "/postroom.v1.Messaging/SendMessageSimple";

pub async fn handle(
    store: &dyn MailStore,
    request: Request<SendMessageSimpleRequest>,
) -> Result<SendMessageSimpleResponse, RpcError> {
    let user = User::of(&request)?;
    let deadline = Deadline::of(&request)?.at();
    let operation = parse(user.sender(), request.into_inner())?;
    let sent = store.execute(user.app(), operation, deadline).await?;
    Ok(answer(sent))
}

fn parse(
    from: Sender,
    request: SendMessageSimpleRequest,
) -> Result<Operation<SendMessage>, Violations> {
    let mut violations = Violations::none();
    let draft = Draft::simple(
        &request.to,
        request.text,
        None,
        request.expire_after,
        &mut violations,
    );
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, fields};

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let from = Sender {
            profile_id: Some(alice()),
            ..Sender::default()
        };
        let request = SendMessageSimpleRequest::default();
        let violations = parse(from, request).expect_err("violations");
        assert_eq!(fields(&violations), ["to", "text"]);
    }
}
