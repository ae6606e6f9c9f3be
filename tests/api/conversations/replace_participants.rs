use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::create_conversation::{create, creation, seen};
use crate::api::builders::{ok, reason, strings};

fn replacement(id: &str, participants: &[&str]) -> v1::ReplaceParticipantsRequest {
    v1::ReplaceParticipantsRequest {
        conversation_id: id.to_owned(),
        participants: strings(participants),
        request_id: String::new(),
    }
}

async fn all_but_the_caller_are_replaced_at_once(test: &TestService) {
    let (_, it) = create(test, "alice", creation(&["bob", "carol"])).await;
    let id = &*it.conversation_id;
    let mut bob = test.conversations("bob");
    let same = ok(bob.replace_participants(replacement(id, &["carol", "alice"]))).await;
    assert_eq!(same.version, 1);
    assert!(
        seen(test, "bob", id)
            .await
            .expect("a conversation")
            .distinct
    );
    let replaced = ok(bob.replace_participants(replacement(id, &["dan", "carol"]))).await;
    assert_eq!(replaced.version, 2);
    assert_eq!(seen(test, "alice", id).await, None);
    let after = seen(test, "dan", id).await.expect("a conversation");
    assert_eq!(after.participants, ["bob", "carol", "dan"]);
    let refused = bob.replace_participants(replacement(id, &["bob"]));
    assert_eq!(reason(refused).await, "TOO_FEW_PARTICIPANTS");
}

on_each_database![all_but_the_caller_are_replaced_at_once];
