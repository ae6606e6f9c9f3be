use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::CreateConversationOutcome as Outcome;
use support::on_each_database;
use support::service::TestService;

use super::create_conversation::{create, creation, seen};
use crate::api::builders::{UNKNOWN, configure, fields, ok, reason, strings};
use crate::api::messaging::block_profile::block;

fn addition(id: &str, participants: &[&str]) -> v1::AddParticipantsRequest {
    v1::AddParticipantsRequest {
        conversation_id: id.to_owned(),
        participants: strings(participants),
        request_id: String::new(),
    }
}

async fn a_new_participant_sees_it_and_distinctness_is_lost_for_good(test: &TestService) {
    let (_, two) = create(test, "alice", creation(&["bob"])).await;
    let (_, three) = create(test, "alice", creation(&["bob", "carol"])).await;
    let id = &two.conversation_id;
    let mut alice = test.conversations("alice");
    let same = ok(alice.add_participants(addition(id, &["bob", "alice"]))).await;
    assert_eq!(same.version, 1);
    test.store.clock.advance(5_000);
    let added = ok(alice.add_participants(addition(id, &["carol", "bob"]))).await;
    assert_eq!(added.version, 2);
    let after = seen(test, "carol", id).await.expect("a conversation");
    assert_eq!(after.participants, ["alice", "bob", "carol"]);
    assert!(!after.distinct && after.update_time != after.create_time);
    let (outcome, found) = create(test, "carol", creation(&["alice", "bob"])).await;
    assert_eq!((outcome, found), (Outcome::Found, three));
    let (outcome, _) = create(test, "alice", creation(&["bob"])).await;
    assert_eq!(outcome, Outcome::Created);
}

async fn an_addition_is_all_or_nothing(test: &TestService) {
    let (_, it) = create(test, "alice", creation(&["bob"])).await;
    let id = &*it.conversation_id;
    block(test, "alice", "eve").await;
    for (who, participants, expected) in [
        ("alice", &["carol", "eve"][..], "PROFILE_BLOCKED"),
        ("mallory", &["carol"], "CONVERSATION_NOT_FOUND"),
        ("alice", &[], "INVALID_REQUEST"),
        ("alice", &["a\nb"], "INVALID_REQUEST"),
    ] {
        let mut caller = test.conversations(who);
        let told = reason(caller.add_participants(addition(id, participants))).await;
        assert_eq!(told, expected, "{who}");
    }
    let settings = sys::AppSettings {
        max_participants: Some(2),
        ..Default::default()
    };
    configure(test, settings).await;
    assert_eq!(
        fields(
            test.conversations("bob")
                .add_participants(addition(id, &["carol"]))
        )
        .await,
        ["participants"]
    );
    assert_eq!(seen(test, "bob", id).await, Some(it));
}

async fn an_unknown_conversation_is_the_same_as_that_of_others(test: &TestService) {
    let (_, it) = create(test, "alice", creation(&["bob"])).await;
    let mut told = Vec::new();
    for id in [&*it.conversation_id, UNKNOWN, "no uuid"] {
        let refused = test
            .conversations("mallory")
            .add_participants(addition(id, &["eve"]))
            .await;
        let refused = refused.expect_err("a refusal");
        told.push((
            refused.code(),
            refused.message().to_owned(),
            refused.details().to_vec(),
        ));
    }
    assert!(told[0] == told[1] && told[1] == told[2], "{told:?}");
}

on_each_database![
    a_new_participant_sees_it_and_distinctness_is_lost_for_good,
    an_addition_is_all_or_nothing,
    an_unknown_conversation_is_the_same_as_that_of_others,
];
