use proto::sys::v1::DeleteMessageRequest;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{UNKNOWN, announce, counts, fields, is_stored, mark, ok, reason, send};

fn deleting(id: &str, expected_version: Option<i64>) -> DeleteMessageRequest {
    DeleteMessageRequest {
        message_id: id.to_owned(),
        expected_version,
        ..Default::default()
    }
}

async fn a_deletion_removes_every_entry(test: &TestService) {
    let id = send(test, "alice", &["alice", "bob", "carol"]).await;
    announce(test, &["bob"]).await;
    mark(test, &[&id], false).await;
    ok(test.sys().delete_message(deleting(&id, None))).await;
    assert_eq!(counts(test, "alice").await, (0, 0, 0));
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    assert_eq!(counts(test, "carol").await, (0, 0, 0));
    assert!(!is_stored(test, &id).await);
}

async fn a_deletion_may_expect_a_version(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let mut app = test.sys();
    let refused = reason(app.delete_message(deleting(&id, Some(2)))).await;
    assert_eq!(refused, "MESSAGE_VERSION_MISMATCH");
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    ok(app.delete_message(deleting(&id, Some(1)))).await;
    let other = send(test, "alice", &["bob"]).await;
    ok(app.delete_message(deleting(&other, Some(-1)))).await;
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
}

async fn an_unknown_message_is_not_found(test: &TestService) {
    let id = send(test, "alice", &["bob"]).await;
    let mut app = test.sys();
    ok(app.delete_message(deleting(&id, None))).await;
    for gone in [&id, UNKNOWN, "no-uuid"] {
        let refused = reason(app.delete_message(deleting(gone, None))).await;
        assert_eq!(refused, "MESSAGE_NOT_FOUND");
    }
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = DeleteMessageRequest {
        request_id: "a b".to_owned(),
        ..deleting("", Some(0))
    };
    let found = fields(test.sys().delete_message(request)).await;
    assert_eq!(found, ["message_id", "expected_version", "request_id"]);
}

on_each_database![
    a_deletion_removes_every_entry,
    a_deletion_may_expect_a_version,
    an_unknown_message_is_not_found,
    all_violations_are_reported_at_once,
];
