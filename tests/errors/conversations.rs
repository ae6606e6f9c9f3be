//! Calls of conversations that are refused.

use domain::limits::CONVERSATIONS_MAX;
use domain::operation::CreateConversation;
use domain::{AppId, Metadata, Operation, ProfileId};
use futures::future::join_all;
use proto::v1;
use support::issuer::APP;
use support::on_each_database;
use support::service::TestService;

use super::golden::compare;
use crate::api::builders::{UNKNOWN, ok, profiles, refused, strings};
use crate::api::conversations::create_conversation::{creation, metadata, separate};
use crate::api::messaging::block_profile::block;
use crate::conformance::fixture::in_time;

/// Carol has as many conversations with dan as one may.
async fn fill_conversations(test: &TestService) {
    let app = AppId::parse(APP).expect("an app id");
    let profile = |name: &str| ProfileId::parse(name).expect("a profile id");
    let create = |_| {
        let (carol, dan) = (profile("carol"), vec![profile("dan")]);
        let create = CreateConversation::new(carol, dan, false, Metadata::default(), None);
        let operation = Operation::from(create);
        test.store
            .store
            .execute(&app, operation.untyped(), in_time())
    };
    let created = join_all((0..CONVERSATIONS_MAX).map(create)).await;
    assert!(created.iter().all(Result::is_ok));
}

async fn refusals_of_conversations_have_golden_reasons(test: &TestService) {
    let id = separate(test, "alice", &["bob"]).await.conversation_id;
    block(test, "alice", "eve").await;
    fill_conversations(test).await;
    let mut alice = test.conversations("alice");
    let chosen = |others: &[&str]| v1::CreateConversationRequest {
        conversation_id: UNKNOWN.to_owned(),
        ..creation(others)
    };
    ok(alice.create_conversation(chosen(&["bob"]))).await;
    let update =
        |path: &str, value: &str, expected_version| v1::UpdateConversationMetadataRequest {
            conversation_id: id.clone(),
            set: metadata([(path, value)]),
            expected_version,
            ..Default::default()
        };
    let cases = [
        (
            "a conversation of others",
            refused(
                test.conversations("eve")
                    .leave_conversation(v1::LeaveConversationRequest {
                        conversation_id: id.clone(),
                        request_id: String::new(),
                    }),
            )
            .await,
        ),
        (
            "an id of another conversation",
            refused(alice.create_conversation(chosen(&["dan"]))).await,
        ),
        (
            "another version of a conversation",
            refused(alice.update_conversation_metadata(update("a", "b", Some(7)))).await,
        ),
        (
            "a participant that the caller blocks",
            refused(alice.create_conversation(creation(&["eve"]))).await,
        ),
        (
            "a participant with as many conversations as one may have",
            refused(alice.create_conversation(creation(&["carol"]))).await,
        ),
        (
            "more participants than allowed",
            refused(alice.create_conversation(creation(&profiles(25)))).await,
        ),
        (
            "metadata of too many bytes",
            refused(alice.update_conversation_metadata(update("a", &"x".repeat(2_048), None)))
                .await,
        ),
        (
            "metadata below other metadata",
            refused(
                alice.update_conversation_metadata(v1::UpdateConversationMetadataRequest {
                    delete_paths: strings(&["a b"]),
                    set: metadata([("a", ""), ("a.b", "")]),
                    ..update("", "", Some(0))
                }),
            )
            .await,
        ),
        (
            "a removal of all others",
            refused(alice.remove_participants(v1::RemoveParticipantsRequest {
                conversation_id: id.clone(),
                participants: strings(&["bob"]),
                request_id: String::new(),
            }))
            .await,
        ),
    ];
    compare("conversations", &cases);
}

on_each_database![refusals_of_conversations_have_golden_reasons];
