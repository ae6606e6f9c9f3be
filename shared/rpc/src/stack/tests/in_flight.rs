//! Calls in flight, and their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::Code;
use tonic::body::Body;

use super::support::*;
use crate::limits::ANSWER_BYTES_PER_PROFILE_MAX;
use crate::stack::Config;
use crate::stack::ServiceName::Messaging;
use crate::{AnswerDeadline, InFlightLimits};
use auth::testing::user_claims;

const PAGE: &str = "/postroom.v1.Messaging/GetMessagesPage";

fn send() -> Request<Body> {
    call_as(SEND, &user_claims())
}

fn rate_limited() -> (Code, String) {
    (Code::ResourceExhausted, reason("RATE_LIMITED"))
}

#[tokio::test]
async fn a_profile_beyond_its_concurrent_calls_is_rejected() {
    let go = Arc::new(Notify::new());
    let handler = go.clone();
    let change = |config| Config {
        calls_in_flight_max: 10,
        in_flight: InFlightLimits {
            calls_per_profile: 1,
            ..InFlightLimits::NONE
        },
        ..config
    };
    let stack = configured(change, move |call| {
        let go = handler.clone();
        async move {
            if call.uri().path() == PAGE {
                go.notified().await;
            }
            ok()
        }
    });
    let stack = stack.await;
    let first = tokio::spawn({
        let stack = stack.clone();
        async move { ending(&stack, call_as(PAGE, &user_claims())).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(ending(&stack, send()).await, rate_limited());
    let mut bob = user_claims();
    bob["sub"] = "bob".into();
    assert_eq!(ending(&stack, call_as(SEND, &bob)).await, success());

    go.notify_one();
    assert_eq!(first.await.expect("an end"), success());
    assert_eq!(ending(&stack, send()).await, success());
}

#[tokio::test]
async fn a_call_keeps_its_place_until_its_answer_has_been_taken() {
    // One call may run at a time.
    let stack = listener(Messaging, async |_| answer(100_000)).await;
    let overloaded = (Code::Unavailable, reason("OVERLOADED"));
    let mut first = run(&stack, send()).await.into_body();
    assert_eq!(ending(&stack, send()).await, overloaded);
    let piece = first.frame().await.expect("a piece").expect("a piece");
    assert!(piece.is_data());
    assert_eq!(ending(&stack, send()).await, overloaded);
    drop(first);
    assert_eq!(ending(&stack, send()).await, success());
}

#[tokio::test]
async fn a_response_stream_leaves_its_place_when_it_begins() {
    let stack = listener(Messaging, async |_| answer(100_000)).await;
    let stream = run(&stack, call_as(SUBSCRIBE, &user_claims())).await;
    assert_eq!(ending(&stack, send()).await, success());
    drop(stream);
}

#[tokio::test]
async fn answers_beyond_the_room_of_a_profile_are_rejected() {
    let change = |config| Config {
        calls_in_flight_max: 10,
        ..config
    };
    let stack = configured(change, async |_| answer(ANSWER_BYTES_PER_PROFILE_MAX / 2)).await;
    let page = || call_as(PAGE, &user_claims());
    let held = [run(&stack, page()).await, run(&stack, page()).await];
    assert_eq!(ending(&stack, page()).await, rate_limited());
    assert_eq!(ending(&stack, send()).await, success(), "it has been sent");
    drop(held);
    assert_eq!(ending(&stack, page()).await, success());
}

#[tokio::test]
async fn a_call_is_not_run_while_half_of_the_room_is_in_use() {
    let runs = Arc::new(AtomicUsize::new(0));
    let change = |config| Config {
        calls_in_flight_max: 10,
        ..config
    };
    let counter = runs.clone();
    let stack = configured(change, move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { answer(ANSWER_BYTES_PER_PROFILE_MAX / 2 + 1) }
    });
    let stack = stack.await;
    let page = || call_as(PAGE, &user_claims());
    let held = run(&stack, page()).await;
    assert_eq!(ending(&stack, page()).await, rate_limited());
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    drop(held);
    assert_eq!(ending(&stack, page()).await, success());
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_answer_that_comes_while_half_of_the_room_is_in_use_is_rejected() {
    let go = Arc::new(Notify::new());
    let handler = go.clone();
    let change = |config| Config {
        calls_in_flight_max: 10,
        ..config
    };
    let stack = configured(change, move |call| {
        let go = handler.clone();
        async move {
            if call.uri().path() == PAGE {
                go.notified().await;
                return answer(1);
            }
            answer(ANSWER_BYTES_PER_PROFILE_MAX / 2 + 1)
        }
    });
    let stack = stack.await;
    let page = tokio::spawn({
        let stack = stack.clone();
        async move { ending(&stack, call_as(PAGE, &user_claims())).await }
    });
    tokio::task::yield_now().await;
    let held = run(&stack, send()).await;
    go.notify_one();
    assert_eq!(page.await.expect("an end"), rate_limited());
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_the_deadline_of_its_call() {
    let stack = listener(Messaging, async |_| answer(1)).await;
    for (path, timeout, seconds) in [
        (SEND, None, Some(5)),
        (SEND, Some("2S"), Some(2)),
        (SEND, Some("1H"), Some(30)),
        (SUBSCRIBE, None, None),
        (SUBSCRIBE, Some("1M"), Some(61)),
    ] {
        let call = call_as(path, &user_claims());
        let call = match timeout {
            Some(timeout) => with_header(call, "grpc-timeout", timeout),
            None => call,
        };
        let start = Instant::now();
        let answer = run(&stack, call).await;
        let deadline = answer.extensions().get::<AnswerDeadline>();
        let deadline = deadline.map(|deadline| deadline.0 - start);
        assert_eq!(deadline, seconds.map(Duration::from_secs), "{path}");
    }
}
