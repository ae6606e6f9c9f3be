//! Requests that are no calls, or cannot be decoded.

use std::io;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use proto::v1::{GetMessageBoxesResponse, MarkMessagesReadRequest};
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::support::*;
use crate::RpcError;
use crate::stack::ServiceName::Messaging;
use auth::testing::user_claims;

const REQUEST_BYTES_MAX: usize = 64;

#[tokio::test]
async fn only_post_is_a_call() {
    let stack = succeeding(Messaging).await;
    for method in ["GET", "DELETE", "PUT", "OPTIONS", "FOO"] {
        let mut call = call_as(SEND, &user_claims());
        *call.method_mut() = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = run(&stack, call).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.headers()["allow"], "POST");
    }
}

#[tokio::test]
async fn only_grpc_is_a_call() {
    let stack = succeeding(Messaging).await;
    let status = async |content_type: &str| {
        let call = with_header(call_as(SEND, &user_claims()), "content-type", content_type);
        run(&stack, call).await.status()
    };
    for good in [
        "application/grpc",
        "application/grpc+proto",
        "Application/gRPC; x=1",
    ] {
        assert_eq!(status(good).await, StatusCode::OK, "{good}");
    }
    for bad in [
        "",
        "application/json",
        "application/grpc+json",
        "application/grpc-web",
        "application/grpcx",
        "text/plain",
    ] {
        assert_eq!(
            status(bad).await,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{bad}"
        );
    }
    let mut bare = call_as(SEND, &user_claims());
    bare.headers_mut().remove("content-type");
    let answer = run(&stack, bare).await;
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn compressed_requests_are_rejected() {
    let stack = succeeding(Messaging).await;
    let call = || call_as(SEND, &user_claims());
    let plain = with_header(call(), "grpc-encoding", "identity");
    assert_eq!(ending(&stack, plain).await, success());
    for encoding in ["gzip", "zstd", "GZIP", "nonsense"] {
        let answer = run(&stack, with_header(call(), "grpc-encoding", encoding)).await;
        assert_eq!(answer.headers()["grpc-accept-encoding"], "identity");
        assert_eq!(
            status(answer).await.code(),
            Code::Unimplemented,
            "{encoding}"
        );
    }
}

/// Runs a method in tonic, with a small limit for requests.
async fn decoded(call: Request<Body>) -> Response<Body> {
    type Codec = ProstCodec<GetMessageBoxesResponse, MarkMessagesReadRequest>;
    let method = service_fn(async |_: tonic::Request<MarkMessagesReadRequest>| {
        Ok::<_, Status>(tonic::Response::new(GetMessageBoxesResponse::default()))
    });
    let grpc = Grpc::new(Codec::default());
    let mut grpc = grpc.max_decoding_message_size(REQUEST_BYTES_MAX);
    grpc.unary(method, call).await
}

/// Returns a call with these bytes as its body.
fn call_with(body: Vec<u8>) -> Request<Body> {
    call_as(SEND, &user_claims()).map(|_| Body::new(Full::new(Bytes::from(body))))
}

fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    let mut frame = vec![flag];
    frame.extend(length.to_be_bytes());
    frame.extend(message);
    frame
}

#[tokio::test]
async fn an_undecodable_request_is_invalid_and_discloses_no_names() {
    let stack = listener(Messaging, decoded).await;
    let message = b"\x0a\x02\xff\xff";
    let cases = [
        ("no UTF-8 in a string", frame(0, message)),
        ("a field that does not end", frame(0, b"\x0a\x7f")),
        ("no message", vec![]),
        ("half a frame", frame(0, b"\x0a\x02ab")[..7].to_vec()),
        ("a compressed message", frame(1, b"")),
        ("a flag that does not exist", frame(7, b"")),
    ];
    for (what, body) in cases {
        let status = status(run(&stack, call_with(body)).await).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{what}");
        assert_eq!(status.message(), "the request is malformed", "{what}");
    }
    let good = call_with(frame(0, b"\x0a\x05inbox"));
    assert_eq!(ending(&stack, good).await, success());
}

#[tokio::test]
async fn the_error_of_a_too_large_request_discloses_no_limit() {
    let stack = listener(Messaging, decoded).await;
    let body = frame(0, &[0; REQUEST_BYTES_MAX + 1]);
    let status = status(run(&stack, call_with(body)).await).await;
    assert_eq!(status.message(), "the request is too large");
    let body = frame(0, &[0; REQUEST_BYTES_MAX + 1]);
    let expected = (Code::InvalidArgument, reason("MESSAGE_TOO_LARGE"));
    assert_eq!(ending(&stack, call_with(body)).await, expected);
}

#[tokio::test]
async fn a_handlers_failure_is_never_taken_for_an_unfinished_request() {
    // A database whose connection ends, as the error of its driver says.
    let stack = listener(Messaging, async |_| {
        let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
        let error = storage::Error::Unavailable(ended.into());
        Status::from(RpcError::from(error)).into_http()
    });
    let ended = ending(&stack.await, call_as(SEND, &user_claims())).await;
    assert_eq!(ended, (Code::Unavailable, reason("STORAGE_UNAVAILABLE")));
}
