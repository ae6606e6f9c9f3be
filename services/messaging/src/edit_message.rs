//! `EditMessage`: a sender updates the content of a message.

use domain::operation::{EditMessage, Revision};
use domain::{Operation, ProfileId, Violations};
use proto::v1::{EditMessageRequest, EditMessageResponse};
use rpc::convert::content_update::ContentUpdate;
use rpc::convert::id;
use rpc::convert::time::timestamp;
use rpc::methods::messaging::EDIT_MESSAGE;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: EditMessageRequest,
    budget: Budget,
) -> Result<EditMessageResponse, RpcError> {
    let operation = parse(user.profile(), request)?;
    let revision = store.execute(user.app(), operation, budget).await?;
    Ok(answer(revision))
}

fn parse(
    owner: &ProfileId,
    request: EditMessageRequest,
) -> Result<Operation<EditMessage>, Violations> {
    let mut violations = Violations::none();
    let update = ContentUpdate::parse(
        &request.message_id,
        request.content,
        request.expected_version,
        &mut violations,
    );
    let request_id = id::request(&request.request_id, &mut violations);
    let update = violations.finish(update)?;
    Ok(Operation {
        request: update
            .canonical(EDIT_MESSAGE.path)
            .of_user(owner, request_id.as_ref()),
        action: EditMessage {
            owner: owner.clone(),
            message_id: update.message_id,
            content: update.content,
            expected_version: update.expected_version,
        },
    })
}

fn answer(revision: Revision) -> EditMessageResponse {
    EditMessageResponse {
        message_id: revision.message_id.to_string(),
        version: revision.version,
        update_time: Some(timestamp(revision.update_ms)),
        digest: revision.digest.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, SECOND, alice, content, fields, fingerprint};

    fn request(message_id: &str, body: &str, version: Option<i64>) -> EditMessageRequest {
        EditMessageRequest {
            message_id: message_id.into(),
            content: Some(content(body)),
            expected_version: version,
            request_id: "once".into(),
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let request = EditMessageRequest {
            expected_version: Some(0),
            ..EditMessageRequest::default()
        };
        let violations = parse(&alice(), request).expect_err("violations");
        assert_eq!(
            fields(&violations),
            ["message_id", "content", "expected_version"]
        );
    }

    #[test]
    fn both_spellings_of_the_latest_version_are_one_request() {
        let fingerprint = |message_id: &str, body: &str, version| {
            let parsed = parse(&alice(), request(message_id, body, version));
            fingerprint(&parsed.expect("an operation"))
        };
        let first = fingerprint(FIRST, "a", None);
        assert_eq!(first, fingerprint(&FIRST.to_uppercase(), "a", Some(-1)));
        assert_ne!(first, fingerprint(FIRST, "a", Some(1)));
        assert_ne!(first, fingerprint(FIRST, "b", None));
        assert_ne!(first, fingerprint(SECOND, "a", None));
    }
}
