//! `ClearMessages`: a user deletes all entries of a box.

use domain::operation::ClearMessages;
use domain::{Operation, ProfileId, Violations};
use proto::v1::{ClearMessagesRequest, ClearMessagesResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{id, msgbox};
use rpc::methods::messaging::CLEAR_MESSAGES;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: ClearMessagesRequest,
    budget: Budget,
) -> Result<ClearMessagesResponse, RpcError> {
    let operation = parse(user.profile(), &request)?;
    let actual = store.execute(user.app(), operation, budget).await?;
    Ok(ClearMessagesResponse { actual })
}

fn parse(
    owner: &ProfileId,
    request: &ClearMessagesRequest,
) -> Result<Operation<ClearMessages>, Violations> {
    let mut violations = Violations::none();
    let msgbox = msgbox::parse(&request.msgbox, "msgbox", &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let msgbox = violations.finish(msgbox)?;
    Ok(Operation {
        request: Canonical::of(CLEAR_MESSAGES.path)
            .field(msgbox.name())
            .of_user(owner, request_id.as_ref()),
        action: ClearMessages::new(owner.clone(), msgbox),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, fields, fingerprint};

    fn request(msgbox: &str, request_id: &str) -> ClearMessagesRequest {
        ClearMessagesRequest {
            msgbox: msgbox.into(),
            request_id: request_id.into(),
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let violations = parse(&alice(), &request("drafts", "a b")).expect_err("violations");
        assert_eq!(fields(&violations), ["msgbox", "request_id"]);
    }

    #[test]
    fn another_box_is_another_request() {
        let one = parse(&alice(), &request("inbox", "once")).expect("an operation");
        let other = parse(&alice(), &request("sent", "once")).expect("an operation");
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }
}
