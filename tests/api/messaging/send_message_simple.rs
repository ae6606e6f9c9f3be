use prost_types::Duration;
use proto::sys::v1 as sys;
use proto::v1::SendMessageSimpleRequest;
use support::clock::START;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    configure, counts, fields, message, ok, profiles, reason, stored, strings, text,
};

fn simple(to: &[impl AsRef<str>], text: &str) -> SendMessageSimpleRequest {
    SendMessageSimpleRequest {
        to: strings(to),
        text: text.to_owned(),
        ..Default::default()
    }
}

async fn a_text_is_the_json_content_with_that_text(test: &TestService) {
    let mut alice = test.user("alice");
    let simply = ok(alice.send_message_simple(simple(&["bob", "bob"], "héllo"))).await;
    assert_eq!((simply.requested, simply.actual), (1, 1));
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    let fully = ok(alice.send_message(message(&["bob"], text("héllo")))).await;
    let [simply, fully] = [
        stored(test, &simply.message_id).await,
        stored(test, &fully.message_id).await,
    ];
    assert_eq!(simply.content, Some(text("héllo")));
    assert_eq!(
        (
            simply.content,
            simply.digest,
            simply.size_bytes,
            simply.kind
        ),
        (fully.content, fully.digest, fully.size_bytes, fully.kind)
    );
}

async fn a_text_has_one_byte_at_least_and_no_nul(test: &TestService) {
    let mut alice = test.user("alice");
    assert_eq!(
        ok(alice.send_message_simple(simple(&["bob"], "x")))
            .await
            .actual,
        1
    );
    for bad in ["", "a\0b"] {
        let request = simple(&["bob"], bad);
        assert_eq!(
            fields(alice.send_message_simple(request.clone())).await,
            ["text"]
        );
        assert_eq!(
            reason(alice.send_message_simple(request)).await,
            "CONTENT_INVALID"
        );
    }
}

async fn a_text_is_as_large_as_the_policy_allows(test: &TestService) {
    let mut alice = test.user("alice");
    let sent = ok(alice.send_message_simple(simple(&["bob"], &"x".repeat(32_000)))).await;
    let around = stored(test, &sent.message_id).await.size_bytes - 32_000;
    let largest = 32 * 1024 - usize::try_from(around).expect("a size");
    let sent = ok(alice.send_message_simple(simple(&["bob"], &"x".repeat(largest)))).await;
    assert_eq!(stored(test, &sent.message_id).await.size_bytes, 32 * 1024);
    let one_more = simple(&["bob"], &"x".repeat(largest + 1));
    assert_eq!(
        fields(alice.send_message_simple(one_more.clone())).await,
        ["text"]
    );
    let refused = reason(alice.send_message_simple(one_more.clone())).await;
    assert_eq!(refused, "MESSAGE_TOO_LARGE");

    let settings = sys::AppSettings {
        max_content_bytes: Some(32 * 1024 + 1),
        ..Default::default()
    };
    configure(test, settings).await;
    assert_eq!(ok(alice.send_message_simple(one_more)).await.actual, 1);
}

async fn a_simple_send_takes_recipients_and_a_lifetime(test: &TestService) {
    let mut alice = test.user("alice");
    let request = SendMessageSimpleRequest {
        expire_after: Some(Duration {
            seconds: 1,
            nanos: 1,
        }),
        ..simple(&profiles(100), "hi")
    };
    let sent = ok(alice.send_message_simple(request)).await;
    assert_eq!((sent.requested, sent.actual), (100, 100));
    let end = sent.expire_time.expect("an end");
    assert_eq!((end.seconds, end.nanos), (START.0 / 1000 + 1, 1_000_000));
    let too_many = alice.send_message_simple(simple(&profiles(101), "hi"));
    assert_eq!(reason(too_many).await, "MAX_RECIPIENTS_EXCEEDED");
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = SendMessageSimpleRequest {
        request_id: "!".to_owned(),
        expire_after: Some(Duration::default()),
        ..simple(&["bob", "a\nb"], "")
    };
    let found = fields(test.user("alice").send_message_simple(request)).await;
    assert_eq!(found, ["to[1]", "text", "expire_after", "request_id"]);
}

on_each_database![
    a_text_is_the_json_content_with_that_text,
    a_text_has_one_byte_at_least_and_no_nul,
    a_text_is_as_large_as_the_policy_allows,
    a_simple_send_takes_recipients_and_a_lifetime,
    all_violations_are_reported_at_once,
];
