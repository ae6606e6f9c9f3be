//! Frames of a stream and their order.

use messaging::StreamTiming;
use proto::v1;
use proto::v1::event::Frame;
use std::time::{Duration, Instant};
use support::boxes;
use support::service::{TestService, unhurried};
use support::{gears, on_each_database};

use super::subscriber::{StreamSubscriber, frame, short};
use crate::api::builders::{delete, mark, ok, send, send_many};
use crate::conformance::fixture::RawDatabase;

async fn a_stream_without_a_cursor_is_caught_up_at_once(test: &TestService) {
    send_many(test, 2).await;
    let mut bob = StreamSubscriber::of(test.user("bob"), "").await;
    let counts = bob.next().await;
    let Frame::Counts(counts) = frame(&counts) else {
        panic!("{counts:?}");
    };
    assert_eq!(boxes::named(&counts.boxes, "inbox").unread, 2);
    assert_eq!(short(&bob.next().await).0, "caught up");
    let request = v1::GetMessageCountsRequest {};
    let counted = ok(test.user("bob").get_message_counts(request)).await;
    assert_eq!(bob.cursor, counted.cursor);
}

async fn a_change_arrives_with_the_counts_after_it(test: &TestService) {
    let mut bob = StreamSubscriber::of(test.user("bob"), "").await;
    bob.backlog().await;
    let id = send(test, "alice", &["bob"]).await;
    let event = bob.next().await;
    let Frame::MessageReceived(entry) = frame(&event) else {
        panic!("{event:?}");
    };
    assert_eq!((&entry.message_id, entry.version), (&id, 1));
    assert!(entry.message.is_some() && !entry.read);
    assert_eq!(short(&bob.next().await).0, "counts");

    mark(test, &[&id], false).await;
    let event = bob.next().await;
    let Frame::MessageUpdated(entry) = frame(&event) else {
        panic!("{event:?}");
    };
    assert!(entry.read && entry.version == 2);
    bob.next().await;

    delete(test, "bob", "inbox", &[&id]).await;
    let event = bob.next().await;
    let Frame::MessageDeleted(gone) = frame(&event) else {
        panic!("{event:?}");
    };
    assert_eq!((gone.msgbox.as_str(), &gone.message_id), ("inbox", &id));
    let event = bob.next().await;
    let Frame::Counts(counts) = frame(&event) else {
        panic!("{event:?}");
    };
    assert_eq!(boxes::named(&counts.boxes, "inbox").total, 0);
}

async fn a_stream_shows_the_named_boxes_in_the_named_view(test: &TestService) {
    let request = v1::SubscribeRequest {
        cursor: "0".to_owned(),
        msgboxes: vec!["sent".to_owned()],
        view: v1::MessageView::Metadata.into(),
    };
    send(test, "alice", &["bob"]).await;
    let id = send(test, "bob", &["bob"]).await;
    let mut bob = StreamSubscriber::with(test.user("bob"), request).await;
    let event = bob.next().await;
    let Frame::MessageReceived(entry) = frame(&event) else {
        panic!("{event:?}");
    };
    assert_eq!((entry.msgbox.as_str(), &entry.message_id), ("sent", &id));
    let message = entry.message.as_ref().expect("a message");
    assert!(
        message
            .content
            .as_ref()
            .is_none_or(|content| content.body.is_none())
    );
    assert_eq!(short(&bob.next().await).0, "counts");
}

async fn an_idle_stream_sends_heartbeats(test: &TestService) {
    let timing = StreamTiming {
        heartbeat: Duration::from_millis(20),
        ..unhurried()
    };
    let token = support::issuer::TestIssuer::shared().user("demo", "bob", test.now_s());
    let user = test.with_timing(timing).await.user(&token);
    let mut bob = StreamSubscriber::of(user, "").await;
    bob.backlog().await;
    let caught_up = bob.cursor.clone();
    for _ in 0..2 {
        assert_eq!(short(&bob.next().await).0, "heartbeat");
        assert_eq!(bob.cursor, caught_up);
    }
}

async fn streamed_entries_are_marked_as_delivered_without_an_event(test: &TestService) {
    let mut bob = StreamSubscriber::of(test.user("bob"), "").await;
    bob.backlog().await;
    let id = send(test, "alice", &["bob"]).await;
    bob.changes(1).await;
    bob.next().await;
    let delivered = async || {
        let entry = crate::api::builders::entry(test, "bob", "inbox", &id).await;
        assert_eq!(entry.version, 1);
        entry.delivered_time.is_some()
    };
    while !delivered().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The next change is the next frame.
    let next = send(test, "alice", &["bob"]).await;
    assert_eq!(short(&bob.next().await), ("new", next));
    let sent = crate::api::builders::entry(test, "alice", "sent", &id).await;
    assert_eq!((sent.version, sent.delivered_time), (1, None));
}

/// Longest silence of a stream whose deliveries cannot be written. Asserted in the second gear.
const SILENCE_MAX: Duration = Duration::from_millis(3_500);

async fn a_stream_continues_while_writes_are_blocked(test: &TestService) {
    let timing = StreamTiming {
        heartbeat: Duration::from_millis(100),
        delivery_interval: Duration::from_secs(1),
        ..unhurried()
    };
    let token = support::issuer::TestIssuer::shared().user("demo", "bob", test.now_s());
    let user = test.with_timing(timing).await.user(&token);
    let mut bob = StreamSubscriber::of(user, "").await;
    bob.backlog().await;
    let raw = RawDatabase::open(test.store.backend(), &test.store.options.url).await;
    send(test, "alice", &["bob"]).await;
    bob.changes(1).await;
    let held = raw.hold_writers().await;
    let began = Instant::now();
    // What was taken is to be noted within this, and cannot be.
    while began.elapsed() < Duration::from_secs(2) {
        let silent_since = Instant::now();
        bob.next().await;
        let silence = silent_since.elapsed();
        assert!(!gears::second() || silence < SILENCE_MAX, "{silence:?}");
    }
    held.release().await;
}

on_each_database![
    a_stream_without_a_cursor_is_caught_up_at_once,
    a_change_arrives_with_the_counts_after_it,
    a_stream_shows_the_named_boxes_in_the_named_view,
    an_idle_stream_sends_heartbeats,
    streamed_entries_are_marked_as_delivered_without_an_event,
    a_stream_continues_while_writes_are_blocked,
];
