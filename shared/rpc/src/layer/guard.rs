//! What is a gRPC call for this listener at all. tonic would run a method for any verb and
//! any type of content.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use tonic::body::Body;

use super::info::Info;
use super::{Answer, Around, Call, Next, refuse};
use crate::error::{RpcError, unimplemented};

const CONTENT_TYPES: [&str; 2] = ["application/grpc", "application/grpc+proto"];
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const IDENTITY: &str = "identity";

/// Refuses what is no POST of protobuf messages as they are, and methods that are not there.
#[derive(Clone)]
pub(crate) struct Guard;

impl Around for Guard {
    async fn around(&self, call: Call, next: &impl Next) -> Answer {
        match refusal(&call) {
            Some(refusal) => refusal,
            None => next.run(call).await,
        }
    }
}

fn refusal(call: &Call) -> Option<Answer> {
    if call.method() != Method::POST {
        return Some(not_allowed());
    }
    if !is_grpc(call.headers()) {
        return Some(http(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    if Info::of(call).method.is_none() {
        return Some(refuse(unimplemented("this method")));
    }
    is_compressed(call.headers()).then(compressed)
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    CONTENT_TYPES
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
}

fn is_compressed(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(ENCODING).iter();
    encodings.any(|encoding| encoding != IDENTITY)
}

/// A few kilobytes can hold hundreds of megabytes, so nothing compressed is unpacked.
fn compressed() -> Answer {
    let mut answer = refuse(RpcError::Unimplemented("compression of requests"));
    let headers = answer.headers_mut();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(IDENTITY));
    answer
}

fn not_allowed() -> Answer {
    let mut answer = http(StatusCode::METHOD_NOT_ALLOWED);
    let headers = answer.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("POST"));
    answer
}

fn http(status: StatusCode) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
