//! Deadlines, load and panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::Code;
use tonic::body::Body;
use tonic_types::StatusExt as _;

use super::support::*;
use crate::Deadline;
use crate::stack::ServiceName::Messaging;
use auth::testing::user_claims;

fn send() -> Request<Body> {
    call_as(SEND, &user_claims())
}

#[tokio::test(start_paused = true)]
async fn a_handler_gets_the_deadline() {
    let stack = listener(Messaging, async |call| {
        let deadline = Deadline::of(&tonic::Request::from_http(call)).expect("a deadline");
        let left = deadline.at() - Instant::now().into_std();
        assert_eq!(left, Duration::from_millis(250));
        ok()
    });
    let call = with_header(send(), "grpc-timeout", "250m");
    assert_eq!(ending(&stack.await, call).await, success());
}

#[tokio::test]
async fn a_malformed_or_zero_timeout_rejects_the_call() {
    let stack = listener(Messaging, async |_| unreachable!("executed")).await;
    let malformed = (Code::InvalidArgument, reason("INVALID_REQUEST"));
    let over = (Code::DeadlineExceeded, reason("DEADLINE"));
    for (timeout, expected) in [("soon", malformed.clone()), ("", malformed), ("0m", over)] {
        let call = with_header(send(), "grpc-timeout", timeout);
        assert_eq!(ending(&stack, call).await, expected, "{timeout:?}");
    }
}

fn subscribe(timeout: Option<&str>) -> Request<Body> {
    let call = call_as(SUBSCRIBE, &user_claims());
    match timeout {
        Some(timeout) => with_header(call, "grpc-timeout", timeout),
        None => call,
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_only_by_the_clients_timeout() {
    let stack = listener(Messaging, async |_| http::Response::new(Body::new(Silent))).await;
    let start = Instant::now();
    let expected = (Code::DeadlineExceeded, reason("DEADLINE"));
    assert_eq!(ending(&stack, subscribe(Some("2M"))).await, expected);
    assert_eq!(start.elapsed().as_secs(), 120);

    let answer = run(&stack, subscribe(None)).await;
    let day = Duration::from_hours(24);
    let waited = tokio::time::timeout(day, status(answer)).await;
    assert!(waited.is_err(), "it goes on");
}

#[tokio::test(start_paused = true)]
async fn a_stream_must_begin_in_five_seconds() {
    let stack = listener(Messaging, async |_| std::future::pending().await).await;
    for timeout in [None, Some("1H")] {
        let start = Instant::now();
        let expected = (Code::DeadlineExceeded, reason("DEADLINE"));
        assert_eq!(ending(&stack, subscribe(timeout)).await, expected);
        assert_eq!(start.elapsed().as_secs(), 5);
    }
}

#[tokio::test]
async fn a_panic_is_internal_and_the_next_call_works() {
    let calls = Arc::new(AtomicUsize::new(0));
    let stack = listener(Messaging, move |_| {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            assert!(number > 0, "the first call panics");
            ok()
        }
    });
    let stack = stack.await;
    assert_eq!(
        ending(&stack, send()).await,
        (Code::Internal, reason("INTERNAL"))
    );
    assert_eq!(ending(&stack, send()).await, success());
}

#[tokio::test]
async fn calls_beyond_the_limit_are_rejected_but_probes_pass() {
    let [begun, go] = [(); 2].map(|()| Arc::new(Notify::new()));
    let handler = (begun.clone(), go.clone());
    let stack = listener(Messaging, move |call| {
        let (begun, go) = handler.clone();
        async move {
            if call.uri().path() == SEND {
                begun.notify_one();
                go.notified().await;
            }
            ok()
        }
    });
    let stack = stack.await;
    let first = tokio::spawn({
        let stack = stack.clone();
        async move { ending(&stack, send()).await }
    });
    begun.notified().await;

    let refused = status(run(&stack, send()).await).await;
    assert_eq!(refused.code(), Code::Unavailable);
    let info = refused.get_details_error_info().expect("an info");
    assert_eq!(info.reason, "OVERLOADED");
    assert!(refused.get_details_retry_info().is_some());
    assert_eq!(ending(&stack, call(HEALTH)).await, success());

    go.notify_one();
    assert_eq!(first.await.expect("an end"), success());
    go.notify_one();
    assert_eq!(ending(&stack, send()).await, success());
}
