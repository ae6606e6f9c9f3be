use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::create_conversation::{create, creation, seen};
use crate::api::builders::{ok, reason};

fn leaving(id: &str) -> v1::LeaveConversationRequest {
    v1::LeaveConversationRequest {
        conversation_id: id.to_owned(),
        request_id: String::new(),
    }
}

async fn a_conversation_ends_when_its_last_participant_leaves(test: &TestService) {
    let (_, it) = create(test, "alice", creation(&["bob"])).await;
    let id = &*it.conversation_id;
    ok(test.conversations("alice").leave_conversation(leaving(id))).await;
    let after = seen(test, "bob", id).await.expect("a conversation");
    assert_eq!(
        (after.participants, after.version),
        (vec!["bob".to_owned()], 2)
    );
    assert!(!after.distinct);
    assert_eq!(
        reason(test.conversations("alice").leave_conversation(leaving(id))).await,
        "CONVERSATION_NOT_FOUND"
    );
    ok(test.conversations("bob").leave_conversation(leaving(id))).await;
    assert_eq!(seen(test, "bob", id).await, None);
    // Nothing of it is left: its id can be chosen again.
    let again = v1::CreateConversationRequest {
        conversation_id: id.to_owned(),
        ..creation(&["bob"])
    };
    let (outcome, _) = create(test, "carol", again).await;
    assert_eq!(outcome, v1::CreateConversationOutcome::Created);
}

on_each_database![a_conversation_ends_when_its_last_participant_leaves];
