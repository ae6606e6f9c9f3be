//! `LeaveConversation`: a user leaves a conversation.

use domain::operation::LeaveConversation;
use domain::{Operation, ProfileId, Violations};
use proto::v1::{LeaveConversationRequest, LeaveConversationResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{conversation, id};
use rpc::methods::conversations::LEAVE_CONVERSATION;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: LeaveConversationRequest,
    budget: Budget,
) -> Result<LeaveConversationResponse, RpcError> {
    let operation = parse(user.profile(), &request)?;
    store.execute(user.app(), operation, budget).await?;
    Ok(LeaveConversationResponse {})
}

fn parse(
    caller: &ProfileId,
    request: &LeaveConversationRequest,
) -> Result<Operation<LeaveConversation>, Violations> {
    let mut violations = Violations::none();
    let conversation_id = conversation::required_id(&request.conversation_id, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    violations.check()?;
    Ok(Operation {
        request: Canonical::of(LEAVE_CONVERSATION.path)
            .field(conversation_id.uuid().as_bytes())
            .of_user(caller, request_id.as_ref()),
        action: LeaveConversation {
            caller: caller.clone(),
            conversation_id,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, SECOND, alice, fields, fingerprint};

    fn request(conversation_id: &str, request_id: &str) -> LeaveConversationRequest {
        LeaveConversationRequest {
            conversation_id: conversation_id.into(),
            request_id: request_id.into(),
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let violations = parse(&alice(), &request("", "a b")).expect_err("violations");
        assert_eq!(fields(&violations), ["conversation_id", "request_id"]);
    }

    #[test]
    fn another_conversation_is_another_request() {
        let [one, other] =
            [FIRST, SECOND].map(|id| parse(&alice(), &request(id, "once")).expect("an operation"));
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }
}
