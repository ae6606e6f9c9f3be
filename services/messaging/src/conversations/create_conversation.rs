//! `CreateConversation`: a user begins a conversation, or finds the one that is meant.

use domain::operation::{CreateConversation, CreationOutcome};
use domain::{Operation, ProfileId, Violations};
use proto::v1::{CreateConversationOutcome, CreateConversationRequest, CreateConversationResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{conversation, id};
use rpc::methods::conversations::CREATE_CONVERSATION;
use rpc::{RpcError, User};
use storage::{Budget, MailStore};

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: CreateConversationRequest,
    budget: Budget,
) -> Result<CreateConversationResponse, RpcError> {
    let (app, caller) = (user.app(), user.profile());
    let operation = parse(caller, &request)?;
    let created = store.execute(app, operation, budget).await?;
    let ids = [created.conversation_id];
    let current = store.conversations(app, caller, &ids).await?;
    Ok(CreateConversationResponse {
        outcome: show(created.outcome).into(),
        conversation_id: created.conversation_id.to_string(),
        conversation: current.first().map(conversation::show),
    })
}

fn parse(
    caller: &ProfileId,
    request: &CreateConversationRequest,
) -> Result<Operation<CreateConversation>, Violations> {
    let mut violations = Violations::none();
    let others = conversation::participants(&request.participants, &mut violations);
    if others.iter().flatten().all(|other| other == caller) && others.is_some() {
        violations.invalid("participants", "must name another profile than your own");
    }
    let distinct = request.distinct.unwrap_or(true);
    let metadata = conversation::metadata(&request.metadata, "metadata", &mut violations);
    let chosen_id = conversation::chosen_id(&request.conversation_id, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    let others = violations.finish(others)?;
    let strings = metadata.iter().flat_map(|(path, value)| [path, value]);
    Ok(Operation {
        request: Canonical::of(CREATE_CONVERSATION.path)
            .list(others.iter().map(ProfileId::as_str))
            .field([u8::from(distinct)])
            .list(strings)
            .list(chosen_id.map(|id| *id.uuid().as_bytes()))
            .of_user(caller, request_id.as_ref()),
        action: CreateConversation::new(caller.clone(), others, distinct, metadata, chosen_id),
    })
}

const fn show(outcome: CreationOutcome) -> CreateConversationOutcome {
    match outcome {
        CreationOutcome::Created => CreateConversationOutcome::Created,
        CreationOutcome::Found => CreateConversationOutcome::Found,
        CreationOutcome::FoundWithOtherMetadata => {
            CreateConversationOutcome::FoundWithOtherMetadata
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, alice, fields, fingerprint, texts};

    fn request(participants: &[&str]) -> CreateConversationRequest {
        CreateConversationRequest {
            participants: texts(participants),
            request_id: "once".into(),
            ..CreateConversationRequest::default()
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let request = CreateConversationRequest {
            metadata: [(".".to_owned(), String::new())].into(),
            conversation_id: "x".into(),
            request_id: "a b".into(),
            ..request(&["alice"])
        };
        let violations = parse(&alice(), &request).expect_err("violations");
        assert_eq!(
            fields(&violations),
            [
                "participants",
                "metadata[\".\"]",
                "conversation_id",
                "request_id"
            ]
        );
    }

    #[test]
    fn each_field_makes_another_request() {
        let requests = [
            request(&["bob"]),
            request(&["bob", "cid"]),
            CreateConversationRequest {
                distinct: Some(false),
                ..request(&["bob"])
            },
            CreateConversationRequest {
                metadata: [("a".to_owned(), "b".to_owned())].into(),
                ..request(&["bob"])
            },
            CreateConversationRequest {
                conversation_id: FIRST.into(),
                ..request(&["bob"])
            },
        ];
        let fingerprints = requests.map(|it| fingerprint(&parse(&alice(), &it).expect("one")));
        for (index, one) in fingerprints.iter().enumerate() {
            assert!(!fingerprints[index + 1..].contains(one), "{index}");
        }
    }
}
