use proto::sys::v1 as sys;
use proto::v1::{EditMessageRequest, EditMessageResponse};
use support::on_each_database;
use support::service::TestService;
use tonic::Status;

use crate::api::builders::{
    UNKNOWN, configure, counts, delete, entry, fields, mark, ok, reason, reason_of, send, stored,
    text,
};

fn editing(id: &str, to: &str) -> EditMessageRequest {
    EditMessageRequest {
        message_id: id.to_owned(),
        content: Some(text(to)),
        ..Default::default()
    }
}

async fn edit(test: &TestService, id: &str, to: &str) -> EditMessageResponse {
    ok(test.user("alice").edit_message(editing(id, to))).await
}

async fn every_holder_sees_the_new_content(test: &TestService) {
    let id = send(test, "alice", &["bob", "carol"]).await;
    mark(test, &[&id], false).await;
    let before = entry(test, "bob", "inbox", &id).await;
    test.store.clock.advance(1000);
    let edited = edit(test, &id, "better").await;
    assert_eq!((&edited.message_id, edited.version), (&id, 2));
    for (who, msgbox, version) in [
        ("alice", "sent", 2),
        ("bob", "inbox", 3),
        ("carol", "inbox", 2),
    ] {
        let entry = entry(test, who, msgbox, &id).await;
        assert_eq!(entry.version, version, "{who}");
        assert_eq!(entry.update_time, edited.update_time);
        let message = entry.message.expect("a message");
        assert_eq!(message.content, Some(text("better")));
        assert!(message.modified && message.version == 2);
        assert_eq!(message.digest, edited.digest);
        assert_eq!(message.update_time, edited.update_time);
        assert_eq!(message.send_time, message.create_time);
        assert_ne!(message.update_time, message.create_time);
    }
    let after = entry(test, "bob", "inbox", &id).await;
    assert!(after.read && after.read_time == before.read_time);
    assert_eq!(counts(test, "bob").await, (1, 0, 0));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
}

async fn the_same_content_is_an_edit_too(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let before = stored(test, &id).await;
    assert!(!before.modified && before.version == 1);
    assert_eq!(edit(test, &id, "hi").await.version, 2);
    let after = stored(test, &id).await;
    assert!(after.modified && after.digest == before.digest);
}

async fn an_edit_may_expect_a_version(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let mut alice = test.user("alice");
    let mut expecting = async |expected_version| {
        let request = EditMessageRequest {
            expected_version,
            ..editing(&id, "again")
        };
        let answer: Result<_, Status> = alice.edit_message(request).await;
        answer
            .map(|edited| edited.into_inner().version)
            .map_err(|status| reason_of(&status))
    };
    assert_eq!(expecting(Some(1)).await, Ok(2));
    let stale = Err("MESSAGE_VERSION_MISMATCH".to_owned());
    assert_eq!(expecting(Some(1)).await, stale);
    assert_eq!(expecting(Some(3)).await, stale);
    assert_eq!(expecting(Some(-1)).await, Ok(3));
    assert_eq!(expecting(None).await, Ok(4));
    for wrong in [0, -2, i64::MIN] {
        let invalid = Err("INVALID_REQUEST".to_owned());
        assert_eq!(expecting(Some(wrong)).await, invalid);
    }
}

async fn only_the_sender_edits(test: &TestService) {
    let id = send(test, "alice", &["bob", "carol"]).await;
    delete(test, "carol", "inbox", &[&id]).await;
    for (who, told) in [
        ("bob", "NOT_ALLOWED_BY_POLICY"),
        ("carol", "MESSAGE_NOT_FOUND"),
        ("mallory", "MESSAGE_NOT_FOUND"),
    ] {
        let refused = test.user(who).edit_message(editing(&id, "mine")).await;
        assert_eq!(reason_of(&refused.expect_err("a refusal")), told, "{who}");
    }
    for unknown in [UNKNOWN, "no-uuid"] {
        let refused = reason(test.user("alice").edit_message(editing(unknown, "x"))).await;
        assert_eq!(refused, "MESSAGE_NOT_FOUND");
    }
    assert_eq!(stored(test, &id).await.version, 1);
}

async fn a_sender_without_the_own_copy_still_edits(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    delete(test, "alice", "sent", &[&id]).await;
    assert_eq!(edit(test, &id, "late").await.version, 2);
    assert_eq!(entry(test, "bob", "inbox", &id).await.version, 2);
    assert_eq!(counts(test, "alice").await, (0, 0, 0));
}

async fn the_policy_can_forbid_edits(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let settings = sys::AppSettings {
        allow_edit: Some(false),
        ..Default::default()
    };
    configure(test, settings).await;
    let refused = reason(test.user("alice").edit_message(editing(&id, "x"))).await;
    assert_eq!(refused, "NOT_ALLOWED_BY_POLICY");
    let refused = reason(test.user("mallory").edit_message(editing(&id, "x"))).await;
    assert_eq!(refused, "MESSAGE_NOT_FOUND");
}

async fn a_content_is_as_large_as_the_policy_allows(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let size = stored(test, &id).await.size_bytes;
    let settings = sys::AppSettings {
        max_content_bytes: Some(size),
        ..Default::default()
    };
    configure(test, settings).await;
    assert_eq!(edit(test, &id, "ho").await.version, 2);
    let mut alice = test.user("alice");
    let larger = reason(alice.edit_message(editing(&id, "hii"))).await;
    assert_eq!(larger, "MESSAGE_TOO_LARGE");
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = EditMessageRequest {
        expected_version: Some(0),
        request_id: "a/b".to_owned(),
        ..Default::default()
    };
    let found = fields(test.user("alice").edit_message(request)).await;
    let wrong = ["message_id", "content", "expected_version", "request_id"];
    assert_eq!(found, wrong);
}

on_each_database![
    every_holder_sees_the_new_content,
    the_same_content_is_an_edit_too,
    an_edit_may_expect_a_version,
    only_the_sender_edits,
    a_sender_without_the_own_copy_still_edits,
    the_policy_can_forbid_edits,
    a_content_is_as_large_as_the_policy_allows,
    all_violations_are_reported_at_once,
];
