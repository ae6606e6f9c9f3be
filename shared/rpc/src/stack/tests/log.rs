//! The access log.

use std::io;

use domain::{Refusal, Violations};
use http::Request;
use http_body_util::Empty;
use serde_json::{Value, json};
use storage::Budget;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tracing::Level;

use super::log_lines::Lines;
use super::support::*;
use crate::convert::id;
use crate::layer::reject;
use crate::stack::ServiceName::Messaging;
use crate::{RpcError, User};
use auth::testing::{ISS, user_claims, with};

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
async fn the_caller_of_a_call_is_logged_by_a_pseudonym() {
    let (_, fields) = logged(|| Refusal::NotFound.into()).await;
    let profile = blake3::keyed_hash(&[7; 32], b"chess\0alice").to_hex();
    assert_eq!(fields["enduser.pseudo.id"], profile[..32]);
    assert_eq!(fields["issuer.iss"], ISS);
    assert_eq!(fields["issuer.kid"], "e");
    assert_eq!(fields.get("trace_id"), None);
    assert_eq!(fields.get("request.pseudo.id"), None);
}

/// Returns the fields of the line of a call whose handler parses a request id.
async fn logged_with_request_id(call: Request<Body>) -> Value {
    let lines = Lines::default();
    let stack = listener(Messaging, async |call: Request<Body>| {
        let method = &crate::methods::messaging::SEND_MESSAGE;
        let answer = crate::call(method, tonic::Request::from_http(call), parse_request_id);
        answer.await.map_or_else(Status::into_http, |_| ok())
    });
    let stack = stack.await;
    let guard = lines.collect(Level::INFO);
    run(&stack, call).await;
    drop(guard);
    lines.calls().remove(0).1
}

async fn parse_request_id(_: User, _: Body, _: Budget) -> Result<(), RpcError> {
    id::request("move-1", &mut Violations::none());
    Ok(())
}

#[tokio::test]
async fn the_trace_and_the_request_of_a_call_are_logged() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let call = with_header(call_as(SEND, &user_claims()), "traceparent", &parent);
    let fields = logged_with_request_id(call).await;
    assert_eq!(fields["trace_id"], trace);
    let request = blake3::keyed_hash(&[7; 32], b"chess\0alice\0move-1").to_hex();
    assert_eq!(fields["request.pseudo.id"], request[..32]);
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
    assert_eq!(lines.calls().len(), 2);
    assert!(!lines.text().contains("canary"), "{}", lines.text());
    assert!(!lines.text().contains("eyJ"), "{}", lines.text());
}
