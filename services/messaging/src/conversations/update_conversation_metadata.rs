//! `UpdateConversationMetadata`: a participant changes what is attached to a conversation.

use domain::conversation::MetadataPath;
use domain::operation::UpdateConversationMetadata;
use domain::{Operation, ProfileId, Violations};
use proto::v1::{UpdateConversationMetadataRequest, UpdateConversationMetadataResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{conversation, expected_version, id};
use rpc::methods::conversations::UPDATE_CONVERSATION_METADATA;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: UpdateConversationMetadataRequest,
    budget: Budget,
) -> Result<UpdateConversationMetadataResponse, RpcError> {
    let operation = parse(user.profile(), &request)?;
    let version = store.execute(user.app(), operation, budget).await?;
    Ok(UpdateConversationMetadataResponse { version: version.0 })
}

fn parse(
    caller: &ProfileId,
    request: &UpdateConversationMetadataRequest,
) -> Result<Operation<UpdateConversationMetadata>, Violations> {
    let mut violations = Violations::none();
    let conversation_id = conversation::required_id(&request.conversation_id, &mut violations);
    let delete = conversation::deleted_paths(&request.delete_paths, &mut violations);
    let set = conversation::set_strings(&request.set, &mut violations);
    let expected_version = expected_version::parse(request.expected_version, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    violations.check()?;
    let strings = set.iter().flat_map(|(path, value)| [path, value]);
    Ok(Operation {
        request: Canonical::of(UPDATE_CONVERSATION_METADATA.path)
            .field(conversation_id.uuid().as_bytes())
            .list(delete.iter().map(MetadataPath::as_str))
            .list(strings)
            .field(expected_version::canonical(expected_version))
            .of_user(caller, request_id.as_ref()),
        action: UpdateConversationMetadata {
            caller: caller.clone(),
            conversation_id,
            delete,
            set,
            expected_version,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, alice, fields, fingerprint, texts};

    fn request(delete: &[&str], path: &str, value: &str) -> UpdateConversationMetadataRequest {
        UpdateConversationMetadataRequest {
            conversation_id: FIRST.into(),
            delete_paths: texts(delete),
            set: [(path.to_owned(), value.to_owned())].into(),
            expected_version: None,
            request_id: "once".into(),
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let request = UpdateConversationMetadataRequest {
            conversation_id: String::new(),
            expected_version: Some(0),
            request_id: "a b".into(),
            ..request(&["."], "", "")
        };
        let violations = parse(&alice(), &request).expect_err("violations");
        assert_eq!(
            fields(&violations),
            [
                "conversation_id",
                "delete_paths[0]",
                "set[\"\"]",
                "expected_version",
                "request_id"
            ]
        );
    }

    #[test]
    fn other_paths_and_other_strings_are_another_request() {
        let requests = [
            request(&["a"], "b", "c"),
            request(&["a", "b"], "b", "c"),
            request(&["a"], "bc", ""),
            request(&["a"], "b", "d"),
            UpdateConversationMetadataRequest {
                expected_version: Some(1),
                ..request(&["a"], "b", "c")
            },
        ];
        let fingerprints = requests.map(|it| fingerprint(&parse(&alice(), &it).expect("one")));
        for (index, one) in fingerprints.iter().enumerate() {
            assert!(!fingerprints[index + 1..].contains(one), "{index}");
        }
    }
}
