//! The access log.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};

use domain::Refusal;
use http_body_util::Empty;
use serde_json::{Value, json};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::support::*;
use crate::RpcError;
use crate::layer::reject;
use crate::stack::ServiceName::Messaging;
use auth::testing::{user_claims, with};

/// Collector of log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    /// Collector and minimum level of this thread's lines.
    static COLLECTING: RefCell<Option<(Level, Lines)>> = const { RefCell::new(None) };
}

/// Guard that ends the collection.
struct Collecting;

impl Drop for Collecting {
    fn drop(&mut self) {
        COLLECTING.set(None);
    }
}

/// Writer that passes each line to the test of its thread.
struct ToThisThread;

impl<'a> MakeWriter<'a> for ToThisThread {
    type Writer = Box<dyn Write>;

    fn make_writer(&'a self) -> Self::Writer {
        Box::new(io::sink())
    }

    fn make_writer_for(&'a self, line: &Metadata<'_>) -> Self::Writer {
        COLLECTING.with_borrow(|collecting| match collecting {
            Some((level, lines)) if line.level() <= level => Box::new(lines.clone()),
            _ => self.make_writer(),
        })
    }
}

impl Lines {
    /// Collects lines until the guard is dropped. All tests share one subscriber: with one for
    /// each, an event that one test disables may stay disabled in another.
    fn collect(&self, level: Level) -> Collecting {
        static SUBSCRIBED: Once = Once::new();
        SUBSCRIBED.call_once(|| {
            tracing_subscriber::fmt()
                .json()
                .with_max_level(Level::TRACE)
                .with_writer(ToThisThread)
                .init();
        });
        COLLECTING.set(Some((level, self.clone())));
        Collecting
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a lock").clone()).expect("text")
    }

    /// Returns the levels and fields of the lines about calls.
    fn calls(&self) -> Vec<(String, Value)> {
        let lines = self.text();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines
            .filter(|line| line["fields"]["message"] == "call.ended")
            .map(|line| {
                let level = line["level"].as_str().expect("a level").to_owned();
                (level, line["fields"].clone())
            })
            .collect()
    }
}

async fn logged(answer: impl Fn() -> RpcError + Clone + Send + Sync + 'static) -> (String, Value) {
    let lines = Lines::default();
    let stack = listener(Messaging, move |_| {
        let error = answer();
        async move { reject(error) }
    });
    let stack = stack.await;
    let guard = lines.collect(Level::INFO);
    run(&stack, call_as(SEND, &user_claims())).await;
    drop(guard);
    let mut calls = lines.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}

#[tokio::test]
async fn a_call_is_logged_as_one_line() {
    let (level, fields) = logged(|| Refusal::NotFound.into()).await;
    assert_eq!(level, "INFO");
    assert_eq!(fields["rpc.method"], "postroom.v1.Messaging/SendMessage");
    assert_eq!(fields["grpc.code"], "NOT_FOUND");
    assert_eq!(fields["error.reason"], "MESSAGE_NOT_FOUND");
    assert_eq!(fields["app.id"], "chess");
    assert!(fields["duration_ms"].is_f64(), "{fields}");
    assert_eq!(fields.get("error.source"), None);
}

#[tokio::test]
async fn the_cause_of_an_error_is_logged_once() {
    let (level, fields) = logged(|| {
        let cause = io::Error::other("disk on fire");
        storage::Error::Internal(Box::new(cause)).into()
    })
    .await;
    assert_eq!(level, "ERROR");
    assert_eq!(fields["error.reason"], "INTERNAL");
    assert_eq!(fields["error.source"], "the store has failed: disk on fire");
}

#[tokio::test]
async fn the_address_of_the_peer_is_logged() {
    let lines = Lines::default();
    let stack = succeeding(Messaging).await;
    let guard = lines.collect(Level::INFO);
    let mut call = call_as(SEND, &user_claims());
    call.extensions_mut().insert(TcpConnectInfo {
        local_addr: None,
        remote_addr: Some(([192, 0, 2, 7], 4711).into()),
    });
    run(&stack, call).await;
    drop(guard);
    let (_, fields) = lines.calls().remove(0);
    assert_eq!(
        (&fields["client.address"], &fields["client.port"]),
        (&json!("192.0.2.7"), &json!(4711))
    );
}

#[tokio::test]
async fn a_request_that_does_not_end_is_logged_as_cancelled() {
    let lines = Lines::default();
    let stack = listener(Messaging, async |_| {
        let end = io::Error::from(io::ErrorKind::UnexpectedEof);
        Status::from_error(end.into()).into_http()
    });
    let stack = stack.await;
    let guard = lines.collect(Level::INFO);
    run(&stack, call_as(SEND, &user_claims())).await;
    drop(guard);
    let (level, fields) = lines.calls().remove(0);
    assert_eq!(
        (level.as_str(), &fields["grpc.code"]),
        ("INFO", &json!("CANCELLED"))
    );
}

#[tokio::test]
async fn a_lack_of_resources_is_a_warning() {
    let (level, fields) = logged(|| RpcError::Overloaded(None)).await;
    assert_eq!(
        (level.as_str(), &fields["grpc.code"]),
        ("WARN", &json!("UNAVAILABLE"))
    );
}

#[tokio::test]
async fn an_abandoned_call_is_logged_as_cancelled() {
    let lines = Lines::default();
    let stack = listener(Messaging, async |_| std::future::pending().await).await;
    let guard = lines.collect(Level::INFO);
    let call = run(&stack, call_as(SEND, &user_claims()));
    let left = tokio::time::timeout(std::time::Duration::ZERO, call).await;
    drop(guard);
    assert!(left.is_err());
    assert_eq!(lines.calls()[0].1["grpc.code"], "CANCELLED");
}

/// Returns the line of a call whose body ends with a status.
async fn logged_at_the_end(
    end: impl Fn() -> Status + Clone + Send + Sync + 'static,
) -> (String, Value) {
    let lines = Lines::default();
    let stack = listener(Messaging, move |_| {
        let mut trailers = http::HeaderMap::new();
        end().add_header(&mut trailers).expect("headers");
        let body = http_body_util::BodyExt::with_trailers(Empty::new(), async {
            Some(Ok::<_, std::convert::Infallible>(trailers))
        });
        async { http::Response::new(Body::new(body)) }
    });
    let stack = stack.await;
    let guard = lines.collect(Level::INFO);
    let answer = run(&stack, call_as(SEND, &user_claims())).await;
    assert_eq!(lines.calls(), []);
    status(answer).await;
    drop(guard);
    lines.calls().remove(0)
}

#[tokio::test]
async fn a_call_is_logged_when_its_body_ends() {
    let (level, fields) = logged_at_the_end(|| Status::ok("")).await;
    assert_eq!(
        (level.as_str(), &fields["grpc.code"]),
        ("INFO", &json!("OK"))
    );
    assert_eq!(fields.get("error.reason"), None);
}

#[tokio::test]
async fn the_reason_of_a_stream_that_was_ended_is_logged() {
    for (error, reason) in [
        ((|| RpcError::SlowReader) as fn() -> RpcError, "SLOW_READER"),
        (|| RpcError::CredentialsExpired, "CREDENTIALS_EXPIRED"),
    ] {
        let (_, fields) = logged_at_the_end(move || error().into()).await;
        assert_eq!(fields["error.reason"], reason);
    }
}

#[tokio::test]
async fn successful_probes_are_not_logged() {
    let lines = Lines::default();
    let stack = succeeding(Messaging).await;
    let guard = lines.collect(Level::INFO);
    run(&stack, call(HEALTH)).await;
    drop(guard);
    assert_eq!(lines.text(), "");
}

#[tokio::test]
async fn logs_contain_no_tokens_profiles_or_request_texts() {
    let lines = Lines::default();
    let stack = succeeding(Messaging).await;
    let guard = lines.collect(Level::TRACE);
    let claims = with(user_claims(), "sub", json!("canary-profile"));
    let claims = with(claims, "name", json!("canary-name"));
    run(&stack, call_as(SEND, &claims)).await;
    run(
        &stack,
        call_as(SEND, &with(claims, "aud", json!("canary-audience"))),
    )
    .await;
    run(
        &stack,
        with_header(call(SEND), "authorization", "Bearer canary-token"),
    )
    .await;
    run(&stack, call("/canary-path/x?canary-query")).await;
    drop(guard);
    assert_eq!(lines.calls().len(), 4);
    assert!(!lines.text().contains("canary"), "{}", lines.text());
    assert!(!lines.text().contains("eyJ"), "{}", lines.text());
}
