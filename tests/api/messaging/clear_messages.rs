use proto::v1::ClearMessagesRequest;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{counts, fields, is_stored, mark, ok, reason, send, send_many};

async fn clear(test: &TestService, who: &str, msgbox: &str) -> u32 {
    let request = ClearMessagesRequest {
        msgbox: msgbox.to_owned(),
        ..Default::default()
    };
    ok(test.user(who).clear_messages(request)).await.actual
}

async fn all_entries_of_that_box_go_and_no_others(test: &TestService) {
    let ids = send_many(test, 3).await;
    mark(test, &ids[..1], false).await;
    send(test, "bob", &["bob", "carol"]).await;
    assert_eq!(clear(test, "bob", "inbox").await, 4);
    assert_eq!(counts(test, "bob").await, (0, 0, 1));
    assert_eq!(counts(test, "alice").await, (0, 0, 3));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
    assert!(is_stored(test, &ids[0]).await);

    assert_eq!(clear(test, "bob", "inbox").await, 0);
    assert_eq!(clear(test, "bob", "sent").await, 1);
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
    assert_eq!(clear(test, "never-seen", "inbox").await, 0);
}

async fn a_clear_leaves_later_messages(test: &TestService) {
    send_many(test, 2).await;
    clear(test, "bob", "inbox").await;
    send_many(test, 1).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let mut bob = test.user("bob");
    let request = ClearMessagesRequest {
        request_id: "x".repeat(65),
        ..Default::default()
    };
    let found = fields(bob.clear_messages(request)).await;
    assert_eq!(found, ["msgbox", "request_id"]);
    let request = ClearMessagesRequest {
        msgbox: "all".to_owned(),
        ..Default::default()
    };
    assert_eq!(reason(bob.clear_messages(request)).await, "MSGBOX_UNKNOWN");
}

on_each_database![
    all_entries_of_that_box_go_and_no_others,
    a_clear_leaves_later_messages,
    all_violations_are_reported_at_once,
];
