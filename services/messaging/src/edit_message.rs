//! A sender changes what a message says.

use domain::operation::{EditMessage, Revision};
use domain::{Operation, ProfileId, Violations};
use proto::v1::{EditMessageRequest, EditMessageResponse};
use rpc::convert::id;
use rpc::convert::rewrite::Rewrite;
use rpc::convert::time::timestamp;
use rpc::{Deadline, RpcError, User};
use storage::MailStore;
use tonic::Request;

const METHOD: &str = "/postroom.v1.Messaging/EditMessage";

pub async fn handle(
    store: &dyn MailStore,
    request: Request<EditMessageRequest>,
) -> Result<EditMessageResponse, RpcError> {
    let user = User::of(&request)?;
    let deadline = Deadline::of(&request)?.at();
    let operation = parse(user.profile(), request.into_inner())?;
    let revision = store.execute(user.app(), operation, deadline).await?;
    Ok(answer(revision))
}

fn parse(
    owner: &ProfileId,
    request: EditMessageRequest,
) -> Result<Operation<EditMessage>, Violations> {
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
        request: rewrite
            .canonical(METHOD)
            .of_user(owner, request_id.as_ref()),
        action: EditMessage {
            owner: owner.clone(),
            message_id: rewrite.message_id,
            content: rewrite.content,
            expected_version: rewrite.expected_version,
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
    fn everything_that_is_wrong_is_said_at_once() {
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
    fn both_ways_to_name_the_latest_version_are_one_request() {
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
