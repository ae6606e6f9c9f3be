//! Limits of the fields of a message.

use domain::limits::EXPIRY_MAX_MS;
use prost_types::Duration;
use proto::sys::v1 as sys;
use proto::v1::{Notification, SendMessageRequest};
use support::clock::START;
use support::on_each_database;
use support::service::TestService;

use super::{at, lasting, to_bob};
use crate::api::builders::{configure, fields, message, ok, profiles, reason, send, stored, text};

async fn as_many_recipients_as_the_policy_allows(test: &TestService) {
    let mut alice = test.user("alice");
    for (allowed, count) in [(None, 100), (Some(1), 1), (Some(500), 500)] {
        let settings = sys::AppSettings {
            max_recipients: allowed,
            ..Default::default()
        };
        configure(test, settings).await;
        let sent = ok(alice.send_message(message(&profiles(count), text("hi")))).await;
        assert_eq!(
            (sent.requested as usize, sent.actual as usize),
            (count, count)
        );
        let to = stored(test, &sent.message_id).await.to;
        assert_eq!(to, profiles(count));
        let one_more = message(&profiles(count + 1), text("hi"));
        let refused = reason(alice.send_message(one_more)).await;
        assert_eq!(refused, "MAX_RECIPIENTS_EXCEEDED", "{count}");
    }
}

async fn a_lifetime_is_more_than_nothing_and_at_most_ten_years(test: &TestService) {
    let mut alice = test.user("alice");
    for (seconds, nanos) in [
        (0, 0),
        (-1, 0),
        (0, -1),
        (1, -1),
        (0, i32::MAX),
        (i64::MAX, 0),
    ]
    .into_iter()
    .chain([(EXPIRY_MAX_MS / 1000, 1)])
    {
        let request = SendMessageRequest {
            expire_after: Some(Duration { seconds, nanos }),
            ..to_bob()
        };
        let found = fields(alice.send_message(request)).await;
        assert_eq!(found, ["expire_after"], "{seconds} s {nanos} ns");
    }
    let settings = sys::AppSettings {
        default_expiry: Some(lasting(5)),
        ..Default::default()
    };
    configure(test, settings).await;
    let sent = ok(alice.send_message(to_bob())).await;
    assert_eq!(sent.expire_time, Some(at(START.0 + 5)));
}

async fn each_piece_of_a_notification_has_its_limit(test: &TestService) {
    let notification = |title, text, sound, data| Notification {
        title: "t".repeat(title),
        text: "t".repeat(text),
        sound: "s".repeat(sound),
        data: [("k".to_owned(), "v".repeat(data))].into(),
    };
    let mut alice = test.user("alice");
    for (notification, wrong) in [
        (notification(128, 1024, 64, 2047), vec![]),
        (notification(129, 1024, 64, 2047), vec!["title"]),
        (notification(128, 1025, 64, 2047), vec!["text"]),
        (notification(128, 1024, 65, 2047), vec!["sound"]),
        (notification(128, 1024, 64, 2048), vec!["data"]),
        (
            notification(129, 1025, 65, 2048),
            vec!["title", "text", "sound", "data"],
        ),
    ] {
        let request = SendMessageRequest {
            notification: Some(notification),
            ..to_bob()
        };
        if wrong.is_empty() {
            assert_eq!(ok(alice.send_message(request)).await.actual, 1);
        } else {
            let wrong: Vec<_> = wrong
                .iter()
                .map(|name| format!("notification.{name}"))
                .collect();
            assert_eq!(fields(alice.send_message(request)).await, wrong);
        }
    }
}

async fn a_recipient_is_a_profile_id(test: &TestService) {
    let longest = "é".repeat(128);
    let odd = "EXAMPLE\\anna maria/'\"%_,;é";
    assert_eq!(send(test, "alice", &[&longest, odd]).await.len(), 36);
    let too_long = "x".repeat(257);
    let to = [
        "bob",
        "",
        "a\nb",
        &too_long,
        "carol",
        "\u{202e}a",
        "a\u{200b}",
        "a\0",
    ];
    let found = fields(test.user("alice").send_message(message(&to, text("hi")))).await;
    assert_eq!(
        found,
        ["to[1]", "to[2]", "to[3]", "to[5]", "to[6]", "to[7]"]
    );
}

async fn a_request_id_has_1_to_64_bytes_of_its_charset(test: &TestService) {
    let mut alice = test.user("alice");
    let sending = |request_id: &str| SendMessageRequest {
        request_id: request_id.to_owned(),
        ..to_bob()
    };
    let longest = "x".repeat(64);
    for good in ["", "a", "azAZ09._-", &longest] {
        assert_eq!(ok(alice.send_message(sending(good))).await.actual, 1);
    }
    let too_long = "x".repeat(65);
    for bad in [" ", "a b", "a:b", "é", "a\0", "a\n", &too_long] {
        let found = fields(alice.send_message(sending(bad))).await;
        assert_eq!(found, ["request_id"], "{bad:?}");
    }
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = SendMessageRequest {
        to: vec![],
        content: None,
        request_id: "a b".to_owned(),
        expire_after: Some(lasting(0)),
        notification: Some(Notification {
            sound: "x".repeat(65),
            ..Default::default()
        }),
        conversation_id: "c".to_owned(),
    };
    let found = fields(test.user("alice").send_message(request)).await;
    let wrong = [
        "to",
        "content",
        "notification.sound",
        "expire_after",
        "request_id",
    ];
    assert_eq!(found[..5], wrong);
    assert_eq!(found[5..], ["conversation_id"]);
}

on_each_database![
    as_many_recipients_as_the_policy_allows,
    a_lifetime_is_more_than_nothing_and_at_most_ten_years,
    each_piece_of_a_notification_has_its_limit,
    a_recipient_is_a_profile_id,
    a_request_id_has_1_to_64_bytes_of_its_charset,
    all_violations_are_reported_at_once,
];
