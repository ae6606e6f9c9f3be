use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::create_conversation::{create, creation, seen};
use crate::api::builders::{ok, reason, strings};

fn removal(id: &str, participants: &[&str]) -> v1::RemoveParticipantsRequest {
    v1::RemoveParticipantsRequest {
        conversation_id: id.to_owned(),
        participants: strings(participants),
        request_id: String::new(),
    }
}

async fn a_participant_removes_all_others_but_the_last(test: &TestService) {
    let (_, it) = create(test, "alice", creation(&["bob", "carol"])).await;
    let id = &*it.conversation_id;
    let mut carol = test.conversations("carol");
    let same = ok(carol.remove_participants(removal(id, &["dan"]))).await;
    assert_eq!(same.version, 1);
    let refused = carol.remove_participants(removal(id, &["alice", "bob"]));
    assert_eq!(reason(refused).await, "TOO_FEW_PARTICIPANTS");
    let removed = ok(carol.remove_participants(removal(id, &["alice"]))).await;
    assert_eq!(removed.version, 2);
    assert_eq!(seen(test, "alice", id).await, None);
    let after = seen(test, "bob", id).await.expect("a conversation");
    assert_eq!(after.participants, ["bob", "carol"]);
    assert_eq!(after.creator_profile_id, "");
    assert_eq!(
        reason(
            test.conversations("alice")
                .remove_participants(removal(id, &["bob"]))
        )
        .await,
        "CONVERSATION_NOT_FOUND"
    );
}

on_each_database![a_participant_removes_all_others_but_the_last];
