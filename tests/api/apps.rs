//! Apps do not see each other: the same names, ids and texts of two apps are two things.

use proto::sys::v1 as sys;
use proto::v1;
use support::boxes;
use support::issuer::ALL_SCOPES;
use support::on_each_database;
use support::service::TestService;

use super::builders::{configure, counts, message, ok, reason, send, text};

const OTHER: &str = "other";

fn once() -> v1::SendMessageRequest {
    v1::SendMessageRequest {
        request_id: "once".to_owned(),
        ..message(&["bob"], text("hi"))
    }
}

async fn a_mailbox_belongs_to_one_app(test: &TestService) {
    send(test, "alice", &["bob"]).await;
    let mut there = test.user_of(OTHER, "bob");
    let found = ok(there.get_message_counts(v1::GetMessageCountsRequest {})).await;
    assert_eq!(boxes::named(&found.boxes, "inbox").total, 0);
    let page = ok(there.get_messages_page(v1::GetMessagesPageRequest::default())).await;
    assert_eq!(page.results.expect("a page").count, 0);
    let clear = v1::ClearMessagesRequest {
        msgbox: "inbox".to_owned(),
        ..Default::default()
    };
    assert_eq!(ok(there.clear_messages(clear)).await.actual, 0);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn a_request_id_belongs_to_one_app(test: &TestService) {
    let here = ok(test.user("alice").send_message(once())).await;
    let there = ok(test.user_of(OTHER, "alice").send_message(once())).await;
    assert_ne!(here.message_id, there.message_id);
    assert_eq!(ok(test.user("alice").send_message(once())).await, here);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn settings_belong_to_one_app(test: &TestService) {
    let settings = sys::AppSettings {
        allow_self_send: Some(false),
        ..Default::default()
    };
    configure(test, settings).await;
    let to_herself = || message(&["alice"], text("hi"));
    let refused = reason(test.user("alice").send_message(to_herself())).await;
    assert_eq!(refused, "NOT_ALLOWED_BY_POLICY");
    let sent = ok(test.user_of(OTHER, "alice").send_message(to_herself())).await;
    assert_eq!(sent.actual, 1);
    let mut there = test.sys_of(OTHER, ALL_SCOPES);
    let found = ok(there.get_app_settings(sys::GetAppSettingsRequest {})).await;
    assert_eq!(found.settings.expect("settings").version, 1);
}

on_each_database![
    a_mailbox_belongs_to_one_app,
    a_request_id_belongs_to_one_app,
    settings_belong_to_one_app,
];
