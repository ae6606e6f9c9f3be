//! Protocol check: verb, content type, path and encoding. tonic itself would run a method for
//! any verb and content type.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use tonic::body::Body;

use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::error::{RpcError, unimplemented};

const CONTENT_TYPES: [&str; 2] = ["application/grpc", "application/grpc+proto"];
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const IDENTITY: &str = "identity";

/// Rejects everything but POSTs of uncompressed protobuf messages to known methods.
#[derive(Clone)]
pub(crate) struct ProtocolCheck;

impl Middleware for ProtocolCheck {
    async fn handle(&self, call: HttpRequest, next: &impl Next) -> HttpResponse {
        match rejection(&call) {
            Some(response) => response,
            None => next.run(call).await,
        }
    }
}

fn rejection(call: &HttpRequest) -> Option<HttpResponse> {
    if call.method() != Method::POST {
        return Some(not_allowed());
    }
    if !is_grpc(call.headers()) {
        return Some(http(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    if CallInfo::of(call).method.is_none() {
        return Some(reject(unimplemented("this method")));
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

/// Rejects compressed requests: a few kilobytes can expand to hundreds of megabytes.
fn compressed() -> HttpResponse {
    let mut answer = reject(RpcError::Unimplemented("compression of requests"));
    let headers = answer.headers_mut();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(IDENTITY));
    answer
}

fn not_allowed() -> HttpResponse {
    let mut answer = http(StatusCode::METHOD_NOT_ALLOWED);
    let headers = answer.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("POST"));
    answer
}

fn http(status: StatusCode) -> HttpResponse {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
