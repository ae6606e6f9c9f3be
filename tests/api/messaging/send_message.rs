mod limits;

use domain::limits::{DAY_MS, HOUR_MS, MINUTE_MS};
use prost_types::{Duration, Timestamp};
use proto::sys::v1 as sys;
use proto::v1::{SendMessageRequest, Sender};
use serde_json::json;
use support::clock::START;
use support::issuer::{APP, TestIssuer, user_claims};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    SmallBoxes, configure, counts, entry, message, ok, reason, send, stored, strings, text,
};

fn at(ms: i64) -> Timestamp {
    let nanos = i32::try_from(ms % 1000 * 1_000_000).expect("less than a second");
    Timestamp {
        seconds: ms / 1000,
        nanos,
    }
}

fn lasting(ms: i64) -> Duration {
    let Timestamp { seconds, nanos } = at(ms);
    Duration { seconds, nanos }
}

/// A message of alice's to bob.
fn to_bob() -> SendMessageRequest {
    message(&["bob"], text("hi"))
}

async fn a_message_arrives_and_a_copy_stays(test: &TestService) {
    let request = message(&["carol", "bob"], text("hello"));
    let sent = ok(test.user("alice").send_message(request)).await;
    assert_eq!((sent.requested, sent.actual), (2, 2));
    assert_eq!(sent.send_time, Some(at(START.0)));
    for (who, msgbox) in [("bob", "inbox"), ("carol", "inbox"), ("alice", "sent")] {
        let entry = entry(test, who, msgbox, &sent.message_id).await;
        assert_eq!(
            (entry.msgbox.as_str(), entry.version, entry.read),
            (msgbox, 1, false)
        );
        assert_eq!((entry.read_time, entry.delivered_time), (None, None));
        assert_eq!(
            (entry.create_time, entry.update_time),
            (sent.send_time, sent.send_time)
        );
        let message = entry.message.expect("a message");
        assert_eq!(message, stored(test, &sent.message_id).await);
        assert_eq!(message.content, Some(text("hello")));
        assert_eq!(
            (&message.to, message.recipient_count),
            (&strings(&["bob", "carol"]), 2)
        );
        assert_eq!(message.kind(), proto::v1::MessageKind::Regular);
        assert_eq!(message.expire_time, sent.expire_time);
        assert!(message.version == 1 && !message.modified);
        assert!(message.conversation_id.is_empty() && message.headers_size_bytes == 0);
    }
    for who in ["bob", "carol"] {
        assert_eq!(counts(test, who).await, (1, 1, 0));
    }
    assert_eq!(counts(test, "alice").await, (0, 0, 1));
}

/// The token of a profile with a name and a picture.
fn token_of(test: &TestService, profile: &str, name: &str, pic: &str) -> String {
    let mut claims = user_claims(APP, profile, test.now_s());
    claims["name"] = json!(name);
    claims["pic"] = json!(pic);
    TestIssuer::shared().sign(&claims)
}

async fn the_sender_comes_from_the_token(test: &TestService) {
    for (profile, name, pic) in [
        ("alice", "Alice A.", "https://pics/a.png"),
        ("alice", "", ""),
        (
            &"x".repeat(256),
            &"n".repeat(128),
            &format!("https://{}", "p".repeat(504)),
        ),
    ] {
        let mut user = test.listeners.user(&token_of(test, profile, name, pic));
        let sent = ok(user.send_message(to_bob())).await;
        let from = Sender {
            profile_id: profile.to_owned(),
            name: name.to_owned(),
            pic: pic.to_owned(),
        };
        assert_eq!(stored(test, &sent.message_id).await.sender, Some(from));
    }
    let token = token_of(test, "alice", &"n".repeat(129), &"p".repeat(513));
    let sent = ok(test.listeners.user(&token).send_message(to_bob())).await;
    let sender = stored(test, &sent.message_id).await.sender;
    assert_eq!(
        sender.map(|sender| (sender.name, sender.pic)),
        Some(("n".repeat(128), String::new()))
    );
    for profile in [&"x".repeat(257)[..], "a\u{202e}b"] {
        let mut user = test.listeners.user(&token_of(test, profile, "", ""));
        assert_eq!(
            reason(user.send_message(to_bob())).await,
            "CREDENTIALS_INVALID"
        );
    }
}

async fn duplicates_collapse_after_the_limit_has_counted_them(test: &TestService) {
    let mut alice = test.user("alice");
    let sent = ok(alice.send_message(message(&["bob", "carol", "bob"], text("hi")))).await;
    assert_eq!((sent.requested, sent.actual), (2, 2));
    assert_eq!(stored(test, &sent.message_id).await.to, ["bob", "carol"]);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));

    let sent = ok(alice.send_message(message(&["bob"; 100], text("hi")))).await;
    assert_eq!((sent.requested, sent.actual), (1, 1));
    let too_many = alice.send_message(message(&["bob"; 101], text("hi")));
    assert_eq!(reason(too_many).await, "MAX_RECIPIENTS_EXCEEDED");
}

async fn recipients_are_compared_bytewise(test: &TestService) {
    let id = send(test, "alice", &["bob", "Bob", "_a", "Z", "a"]).await;
    let sorted = ["Bob", "Z", "_a", "a", "bob"];
    assert_eq!(stored(test, &id).await.to, sorted);
    assert_eq!(counts(test, "Bob").await, (1, 1, 0));
    assert_eq!(counts(test, "BOB").await, (0, 0, 0));
}

async fn a_message_to_oneself_is_in_both_boxes(test: &TestService) {
    let id = send(test, "alice", &["alice"]).await;
    assert_eq!(counts(test, "alice").await, (1, 1, 1));
    for msgbox in ["inbox", "sent"] {
        assert_eq!(entry(test, "alice", msgbox, &id).await.msgbox, msgbox);
    }
    let settings = sys::AppSettings {
        allow_self_send: Some(false),
        ..Default::default()
    };
    configure(test, settings).await;
    let mut alice = test.user("alice");
    let refused = reason(alice.send_message(message(&["bob", "alice"], text("hi")))).await;
    assert_eq!(refused, "NOT_ALLOWED_BY_POLICY");
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
    assert_eq!(ok(alice.send_message(to_bob())).await.actual, 1);
}

async fn a_full_inbox_is_passed_over(test: &SmallBoxes) {
    send(test, "carol", &["bob"]).await;
    send(test, "dora", &["bob"]).await;
    let mut alice = test.user("alice");
    let sent = ok(alice.send_message(message(&["bob", "carol"], text("hi")))).await;
    assert_eq!((sent.requested, sent.actual), (2, 1));
    assert_eq!(stored(test, &sent.message_id).await.to, ["bob", "carol"]);
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
    assert_eq!(counts(test, "carol").await, (1, 1, 1));

    assert_eq!(reason(alice.send_message(to_bob())).await, "MSGBOX_FULL");
    assert_eq!(counts(test, "alice").await, (0, 0, 1));
}

async fn a_full_sent_box_drops_its_oldest(test: &SmallBoxes) {
    let ids = [
        send(test, "alice", &["bob"]).await,
        send(test, "alice", &["carol"]).await,
        send(test, "alice", &["dora"]).await,
    ];
    assert_eq!(counts(test, "alice").await, (0, 0, 2));
    for id in &ids[1..] {
        assert_eq!(entry(test, "alice", "sent", id).await.message_id, *id);
    }
    let oldest = entry(test, "bob", "inbox", &ids[0]).await;
    assert_eq!(oldest.version, 1);
}

async fn the_end_is_rounded_up_beyond_an_hour_and_beyond_a_day(test: &TestService) {
    let now = START.0 + 1;
    test.store.clock.advance(1);
    let up = |exact: i64, step: i64| exact + (step - exact % step) % step;
    let mut alice = test.user("alice");
    let day = up(now + DAY_MS, HOUR_MS);
    for (lifetime, end) in [
        (None, up(now + 30 * DAY_MS, HOUR_MS)),
        (Some(1), now + 1),
        (Some(HOUR_MS - 1), now + HOUR_MS - 1),
        (Some(2 * HOUR_MS), up(now + 2 * HOUR_MS, MINUTE_MS)),
        (Some(DAY_MS - 1), up(now + DAY_MS - 1, MINUTE_MS)),
        (Some(DAY_MS), day),
        (Some(30 * DAY_MS), up(now + 30 * DAY_MS, HOUR_MS)),
    ] {
        let request = SendMessageRequest {
            expire_after: lifetime.map(lasting),
            ..to_bob()
        };
        let sent = ok(alice.send_message(request)).await;
        assert_eq!(sent.expire_time, Some(at(end)), "{lifetime:?}");
        assert_eq!(
            stored(test, &sent.message_id).await.expire_time,
            sent.expire_time
        );
    }
}

on_each_database![
    a_message_arrives_and_a_copy_stays,
    the_sender_comes_from_the_token,
    duplicates_collapse_after_the_limit_has_counted_them,
    recipients_are_compared_bytewise,
    a_message_to_oneself_is_in_both_boxes,
    a_full_inbox_is_passed_over,
    a_full_sent_box_drops_its_oldest,
    the_end_is_rounded_up_beyond_an_hour_and_beyond_a_day,
];
