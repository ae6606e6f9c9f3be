//! `GetConversations`: conversations of a user by their ids.

use std::collections::BTreeSet;

use domain::limits::CONVERSATIONS_PER_ANSWER_MAX;
use domain::{ConversationId, Violations};
use proto::v1::{GetConversationsRequest, GetConversationsResponse};
use rpc::convert::conversation;
use rpc::{RpcError, User};
use storage::MailStore;

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: GetConversationsRequest,
) -> Result<GetConversationsResponse, RpcError> {
    let texts = parse(&request)?;
    let ids = texts.iter().filter_map(|text| ConversationId::parse(text));
    let mut seen = BTreeSet::new();
    let ids: Vec<ConversationId> = ids.filter(|id| seen.insert(*id)).collect();
    let found = store
        .conversations(user.app(), user.profile(), &ids)
        .await?;
    let is_found = |text: &&&str| {
        let id = ConversationId::parse(text);
        found.iter().any(|it| Some(it.conversation_id) == id)
    };
    let missing = texts.iter().filter(|text| !is_found(text));
    Ok(GetConversationsResponse {
        missing_conversation_ids: missing.map(|text| (*text).to_owned()).collect(),
        conversations: found.iter().map(conversation::show).collect(),
    })
}

/// Returns the distinct texts of the ids, in the order of the request.
fn parse(request: &GetConversationsRequest) -> Result<Vec<&str>, Violations> {
    let mut violations = Violations::none();
    let given = &request.conversation_ids;
    if !(1..=CONVERSATIONS_PER_ANSWER_MAX as usize).contains(&given.len()) {
        violations.invalid(
            "conversation_ids",
            format!("must have 1 to {CONVERSATIONS_PER_ANSWER_MAX} ids"),
        );
    }
    for (index, id) in given.iter().enumerate() {
        if id.is_empty() {
            violations.invalid(format!("conversation_ids[{index}]"), "must not be empty");
        }
    }
    violations.check()?;
    let mut seen = BTreeSet::new();
    let texts = given.iter().map(String::as_str);
    Ok(texts.filter(|text| seen.insert(*text)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fields, texts};

    #[test]
    fn ids_are_one_to_the_maximum_and_not_empty() {
        let request = |ids: Vec<&str>| GetConversationsRequest {
            conversation_ids: texts(&ids),
        };
        for (ids, expected) in [
            (vec![], vec!["conversation_ids"]),
            (vec!["a"; 21], vec!["conversation_ids"]),
            (vec!["a", ""], vec!["conversation_ids[1]"]),
        ] {
            let violations = parse(&request(ids)).expect_err("violations");
            assert_eq!(fields(&violations), expected);
        }
        assert_eq!(parse(&request(vec!["b", "a", "b"])), Ok(vec!["b", "a"]));
    }
}
