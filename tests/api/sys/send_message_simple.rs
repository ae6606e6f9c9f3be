use prost_types::Duration;
use proto::sys::v1::SendMessageSimpleRequest;
use proto::v1::Notification;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    counts, fields, news, notice, ok, profiles, reason, stored, strings, text,
};

fn simple(to: &[impl AsRef<str>], text: &str) -> SendMessageSimpleRequest {
    SendMessageSimpleRequest {
        to: strings(to),
        text: text.to_owned(),
        sender: Some(news()),
        ..Default::default()
    }
}

async fn a_text_is_the_json_content_with_that_text(test: &TestService) {
    let mut app = test.sys();
    let simply = ok(app.send_message_simple(simple(&["bob"], "héllo"))).await;
    let fully = ok(app.send_message(notice(&["bob"], text("héllo")))).await;
    assert_eq!((simply.requested, simply.actual), (1, 1));
    assert_eq!(simply.expire_time, fully.expire_time);
    let mut stored_simply = stored(test, &simply.message_id).await;
    assert_eq!(stored_simply.content, Some(text("héllo")));
    stored_simply.message_id.clone_from(&fully.message_id);
    assert_eq!(stored_simply, stored(test, &fully.message_id).await);
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
}

async fn a_text_has_one_byte_at_least(test: &TestService) {
    let mut app = test.sys();
    assert_eq!(
        ok(app.send_message_simple(simple(&["bob"], "x")))
            .await
            .actual,
        1
    );
    let refused = reason(app.send_message_simple(simple(&["bob"], ""))).await;
    assert_eq!(refused, "CONTENT_INVALID");
    let refused = reason(app.send_message_simple(simple(&profiles(501), "x"))).await;
    assert_eq!(refused, "MAX_RECIPIENTS_EXCEEDED");
    let long = "x".repeat(32 * 1024);
    let refused = reason(app.send_message_simple(simple(&["bob"], &long))).await;
    assert_eq!(refused, "MESSAGE_TOO_LARGE");
}

async fn a_text_expires_after_the_time_of_its_request(test: &TestService) {
    let request = SendMessageSimpleRequest {
        expire_after: Some(Duration {
            seconds: 60,
            nanos: 0,
        }),
        ..simple(&["bob"], "for a minute")
    };
    let sent = ok(test.sys().send_message_simple(request)).await;
    let expire_time = sent.expire_time.expect("an expiry");
    assert_eq!(
        expire_time.seconds,
        sent.send_time.expect("a time").seconds + 60
    );
    let stored = stored(test, &sent.message_id).await;
    assert_eq!(stored.expire_time, Some(expire_time));
}

async fn another_notification_is_another_request(test: &TestService) {
    let request = |title: &str| SendMessageSimpleRequest {
        notification: Some(Notification {
            title: title.to_owned(),
            ..Default::default()
        }),
        request_id: "once".to_owned(),
        ..simple(&["bob"], "hi")
    };
    let mut app = test.sys();
    let first = ok(app.send_message_simple(request("News"))).await;
    let again = ok(app.send_message_simple(request("News"))).await;
    assert_eq!(first, again);
    let refused = reason(app.send_message_simple(request("Olds"))).await;
    assert_eq!(refused, "REQUEST_ID_REUSED");
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = SendMessageSimpleRequest {
        expire_after: Some(Duration::default()),
        notification: Some(Notification {
            title: "x".repeat(129),
            ..Default::default()
        }),
        request_id: "a b".to_owned(),
        ..Default::default()
    };
    let found = fields(test.sys().send_message_simple(request)).await;
    assert_eq!(
        found,
        [
            "to",
            "text",
            "notification.title",
            "expire_after",
            "sender.name",
            "request_id"
        ]
    );
}

on_each_database![
    a_text_is_the_json_content_with_that_text,
    a_text_has_one_byte_at_least,
    a_text_expires_after_the_time_of_its_request,
    another_notification_is_another_request,
    all_violations_are_reported_at_once,
];
