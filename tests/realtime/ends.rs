//! Ends of streams: tokens, maximum age, drains, slow readers.

use std::time::Duration;

use messaging::StreamTiming;
use proto::sys::v1 as sys;
use proto::v1;
use realtime::POLL_INTERVAL;
use serde_json::json;
use storage_sql::Notify;
use support::issuer::{APP, TestIssuer, user_claims};
use support::on_each_database;
use support::service::{InProcessUser, TestService, unhurried};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::subscriber::{FrameSummary, StreamSubscriber};
use crate::api::builders::{entry, ok, reason_of, send, send_many};
use crate::conformance::fixture::IN_TIME;

async fn a_stream_ends_with_its_token(test: &TestService) {
    let mut claims = user_claims(APP, "bob", test.now_s());
    // Half a minute of leeway, and a moment.
    claims["exp"] = json!(test.now_s() - 29);
    let token = TestIssuer::shared().sign(&claims);
    let mut bob = StreamSubscriber::of(test.listeners.user(&token), "").await;
    bob.backlog().await;
    let status = bob.try_next().await.expect_err("an end");
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(reason_of(&status), "CREDENTIALS_EXPIRED");
    // The cursor is not the token's.
    let id = send(test, "alice", &["bob"]).await;
    let mut again = StreamSubscriber::of(test.user("bob"), &bob.cursor).await;
    assert_eq!(again.changes(1).await, [("new", id)]);
}

async fn a_stream_ends_when_its_token_is_revoked(test: &TestService) {
    let timing = StreamTiming {
        token_check_interval: Duration::from_millis(50),
        ..unhurried()
    };
    let mut bob = StreamSubscriber::of(with_timing(test, timing).await, "").await;
    bob.backlog().await;
    test.store.clock.advance(1000);
    let request = sys::RevokeTokensRequest {
        profile_id: "bob".to_owned(),
        ..Default::default()
    };
    ok(test.sys().revoke_tokens(request)).await;
    let status = bob.try_next().await.expect_err("an end");
    assert_eq!(reason_of(&status), "CREDENTIALS_REVOKED");
}

pub async fn with_timing(test: &TestService, timing: StreamTiming) -> InProcessUser {
    let token = TestIssuer::shared().user(APP, "bob", test.now_s());
    test.with_timing(timing).await.user(&token)
}

async fn a_stream_beyond_its_maximum_age_asks_to_reconnect(test: &TestService) {
    let moment = Duration::from_millis(50);
    let timing = StreamTiming {
        max_age: moment..=moment,
        ..unhurried()
    };
    let mut bob = StreamSubscriber::of(with_timing(test, timing).await, "").await;
    bob.backlog().await;
    let (rest, error) = bob.rest().await;
    assert_eq!(rest, [("reconnect", String::new())]);
    assert!(error.is_none());
}

async fn a_drain_ends_all_streams_and_refuses_new_ones(test: &TestService) {
    let mut bob = StreamSubscriber::of(test.user("bob"), "").await;
    bob.backlog().await;
    let mut alice = StreamSubscriber::of(test.user("alice"), "").await;
    test.store.hub.drain();
    for follower in [&mut bob, &mut alice] {
        let (rest, error) = follower.rest().await;
        assert_eq!(rest.last().map(|last| last.0), Some("reconnect"));
        assert!(error.is_none());
    }
    let mut user = test.user("bob");
    let refused = user.subscribe(v1::SubscribeRequest::default()).await;
    let status = refused.map(drop).expect_err("a refusal");
    assert_eq!(reason_of(&status), "DRAINING");

    let id = send(test, "alice", &["bob"]).await;
    let (store, elsewhere) = test.replica().await;
    let token = TestIssuer::shared().user(APP, "bob", test.now_s());
    let mut bob = StreamSubscriber::of(elsewhere.user(&token), &bob.cursor).await;
    assert_eq!(bob.changes(1).await, [("new", id)]);
    store.close().await;
}

/// Messages for a slow reader, more than [`WAITING_MAX`].
const MANY: usize = 160;
/// Frames that wait for a reader at most: 128 in the send buffer, and a few in the transport.
const WAITING_MAX: usize = 128 + 8;

/// A reader of more messages than its send buffer holds. It takes nothing for a while.
async fn slow_reader(user: InProcessUser, rest: Duration) -> StreamSubscriber {
    let reader = StreamSubscriber::of(user, "0").await;
    tokio::time::sleep(rest).await;
    reader
}

/// Runs `attempt` with longer and longer rests of a reader until it has seen no more frames than
/// may wait. A busy machine takes longer to fill the buffer and to end the stream.
async fn until_no_more_than_may_wait(mut attempt: impl AsyncFnMut(Duration) -> usize) {
    for rest_s in [1, 3, 10, 30, 100] {
        if attempt(Duration::from_secs(rest_s)).await <= WAITING_MAX {
            return;
        }
    }
    panic!("the stream did not end while its reader was slow");
}

async fn an_expired_token_ends_the_stream_of_a_slow_reader(test: &TestService) {
    send_many(test, MANY).await;
    until_no_more_than_may_wait(async |rest| {
        let mut claims = user_claims(APP, "bob", test.now_s());
        claims["exp"] = json!(test.now_s() - 30 + rest.as_secs().cast_signed());
        let token = TestIssuer::shared().sign(&claims);
        let mut bob = slow_reader(test.listeners.user(&token), 2 * rest).await;
        let (seen, error) = bob.rest().await;
        let reason = error.map(|error| reason_of(&error));
        assert_eq!(reason.as_deref(), Some("CREDENTIALS_EXPIRED"));
        seen.len()
    })
    .await;
}

async fn a_drain_does_not_wait_for_slow_readers(test: &TestService) {
    send_many(test, MANY).await;
    let token = TestIssuer::shared().user(APP, "bob", test.now_s());
    until_no_more_than_may_wait(async |rest| {
        let (store, hub, replica) = test.replica_with_hub(Notify::Off, POLL_INTERVAL).await;
        let mut bob = slow_reader(replica.user(&token), rest / 2).await;
        hub.drain();
        tokio::time::sleep(rest / 2).await;
        let (seen, error) = bob.rest().await;
        assert!(error.is_none());
        assert_eq!(seen.last().map(|last| last.0), Some("reconnect"));
        store.close().await;
        seen.len()
    })
    .await;
}

async fn frames_taken_after_the_end_are_marked_as_delivered(test: &TestService) {
    let ids = send_many(test, 5).await;
    let moment = Duration::from_millis(50);
    let timing = StreamTiming {
        max_age: moment..=moment,
        ..unhurried()
    };
    let mut bob = StreamSubscriber::of(with_timing(test, timing).await, "0").await;
    // The reader takes nothing before the stream has ended.
    tokio::time::sleep(2 * moment).await;
    let (seen, _) = bob.rest().await;
    assert_eq!(seen.last().map(|last| last.0), Some("reconnect"));
    for id in &ids {
        let entry = entry(test, "bob", "inbox", id).await;
        assert!(entry.delivered_time.is_some(), "{entry:?}");
    }
}

async fn a_profile_has_twenty_streams_and_no_more(test: &TestService) {
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(StreamSubscriber::of(test.user("bob"), "").await);
    }
    let mut user = test.user("bob");
    let refused = user.subscribe(v1::SubscribeRequest::default()).await;
    let status = refused.map(drop).expect_err("a refusal");
    assert_eq!(reason_of(&status), "TOO_MANY_STREAMS");
    StreamSubscriber::of(test.user("alice"), "").await;

    drop(streams.pop());
    until_a_stream_opens(user).await;
}

/// Interval at which a condition is checked that nothing announces.
const CHECK_EVERY: Duration = Duration::from_millis(5);

/// Opens streams until one is not refused: the task of a stream that was closed takes notice in
/// its own time.
async fn until_a_stream_opens(mut user: InProcessUser) {
    let opens = async {
        let request = v1::SubscribeRequest::default;
        while user.subscribe(request()).await.is_err() {
            tokio::time::sleep(CHECK_EVERY).await;
        }
    };
    let opened = timeout(IN_TIME, opens).await;
    opened.expect("a stream");
}

/// Number of tasks of this test, among them one for each stream that has not ended.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until no more tasks are left than there were before some streams.
async fn until_streams_end(tasks_before: usize) {
    let end = async {
        while tasks() > tasks_before {
            tokio::time::sleep(CHECK_EVERY).await;
        }
    };
    timeout(IN_TIME, end).await.expect("an end of the streams");
}

/// Timings with which a reader that takes nothing is cut off at once.
pub fn impatient() -> StreamTiming {
    StreamTiming {
        slow_reader_timeout: Duration::from_millis(50),
        ..unhurried()
    }
}

/// A reader that took nothing until it was cut off, with what it saw and the error.
pub async fn cut_off(user: InProcessUser) -> (StreamSubscriber, Vec<FrameSummary>, Status) {
    loop {
        let tasks = tasks();
        let mut slow = StreamSubscriber::of(user.clone(), "0").await;
        until_streams_end(tasks).await;
        // Another task may have ended instead.
        if let (seen, Some(status)) = slow.until_caught_up().await {
            return (slow, seen, status);
        }
        drop(slow);
        tasks_end().await;
    }
}

/// Gives the task of a closed stream the time to end, so that it is not counted any more.
async fn tasks_end() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

async fn a_reader_that_was_cut_off_holds_its_stream_slot_until_it_closes(test: &TestService) {
    send_many(test, MANY).await;
    let user = with_timing(test, impatient()).await;
    let slow = loop {
        let tasks = tasks();
        let mut slow = Vec::new();
        for _ in 0..20 {
            slow.push(StreamSubscriber::of(user.clone(), "0").await);
        }
        until_streams_end(tasks).await;
        let mut user = test.user("bob");
        let refused = user.subscribe(v1::SubscribeRequest::default()).await;
        let status = refused.map(drop).expect_err("a refusal");
        assert_eq!(reason_of(&status), "TOO_MANY_STREAMS");
        // Other tasks may have ended instead.
        let (_, end) = slow[0].until_caught_up().await;
        if let Some(status) = end {
            assert_eq!(reason_of(&status), "SLOW_READER");
            break slow;
        }
        drop(slow);
        tasks_end().await;
    };
    drop(slow);
    until_a_stream_opens(test.user("bob")).await;
}

async fn a_stalled_reader_is_cut_off_and_can_resume(test: &TestService) {
    let ids = send_many(test, MANY).await;
    let user = with_timing(test, impatient()).await;
    let (slow, seen, status) = cut_off(user).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason_of(&status), "SLOW_READER");
    assert!(seen.len() <= WAITING_MAX, "{}", seen.len());
    let mut again = StreamSubscriber::of(test.user("bob"), &slow.cursor).await;
    let rest = again.changes(MANY - seen.len()).await;
    let all: Vec<_> = seen.into_iter().chain(rest).map(|(_, id)| id).collect();
    assert_eq!(all, ids);
}

on_each_database![
    a_stream_ends_with_its_token,
    a_stream_ends_when_its_token_is_revoked,
    a_stream_beyond_its_maximum_age_asks_to_reconnect,
    a_drain_ends_all_streams_and_refuses_new_ones,
    an_expired_token_ends_the_stream_of_a_slow_reader,
    a_drain_does_not_wait_for_slow_readers,
    frames_taken_after_the_end_are_marked_as_delivered,
    a_profile_has_twenty_streams_and_no_more,
    a_reader_that_was_cut_off_holds_its_stream_slot_until_it_closes,
    a_stalled_reader_is_cut_off_and_can_resume,
];
