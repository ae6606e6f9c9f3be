//! Stacks around fake services, and calls to them.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use auth::testing::{SigningKey, TestClock, trusting};
use bytes::Bytes;
use domain::Quotas;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::{BodyExt as _, Collected, Full};
use serde_json::Value;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{ServiceExt as _, service_fn};

use crate::stack::{Config, ServiceName, Stack, stack};
use crate::{InFlightLimits, Limiter, PseudonymKey, Revocations};

pub const SEND: &str = "/postroom.v1.Messaging/SendMessage";
pub const SUBSCRIBE: &str = "/postroom.v1.Messaging/Subscribe";
pub const SYS_SEND: &str = "/postroom.sys.v1.Sys/SendMessage";
pub const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// Key of the pseudonyms in the log.
pub const PSEUDONYM_KEY: PseudonymKey = PseudonymKey::new([7; 32]);

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::ed25519("e"));

pub fn token(claims: &Value) -> String {
    format!("Bearer {}", KEY.sign(claims))
}

/// Returns a listener that answers every call with this, one at a time.
pub async fn listener<F, R>(service: ServiceName, answer: F) -> Stack
where
    F: Fn(Request<Body>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    limited(service, Limiter::fixed(Quotas::NO_LIMITS), answer).await
}

/// Returns such a listener with quotas.
pub async fn limited<F, R>(service: ServiceName, limiter: Arc<Limiter>, answer: F) -> Stack
where
    F: Fn(Request<Body>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    configured(
        |config| Config {
            service,
            limiter,
            ..config
        },
        answer,
    )
    .await
}

/// Maximum size of a request.
pub const REQUEST_BYTES_MAX: usize = 64;

/// Returns such a listener with a changed configuration.
pub async fn configured<F, R>(change: impl FnOnce(Config) -> Config, answer: F) -> Stack
where
    F: Fn(Request<Body>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    let authenticator = trusting(&[&*KEY], TestClock::new()).await;
    let config = change(Config {
        service: ServiceName::Messaging,
        authenticator,
        revocations: Revocations::none(),
        limiter: Limiter::fixed(Quotas::NO_LIMITS),
        request_bytes_max: REQUEST_BYTES_MAX,
        pseudonym_key: PSEUDONYM_KEY,
        limits_addresses: true,
        audit: None,
        calls_in_flight_max: 1,
        in_flight: InFlightLimits::NONE,
    });
    let services = service_fn(move |call| {
        let answer = answer(call);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    stack(config, services).expect("rows for all methods")
}

/// Returns a listener whose calls all succeed.
pub async fn succeeding(which: ServiceName) -> Stack {
    listener(which, async |_| ok()).await
}

pub fn ok() -> Response<Body> {
    Status::ok("").into_http()
}

/// Returns a successful answer of this many bytes.
pub fn answer(bytes: usize) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(vec![0; bytes]));
    let body = body.with_trailers(async move { Some(Ok(trailers)) });
    Response::new(Body::new(body))
}

/// Returns a well-formed call without a token.
pub fn call(path: &str) -> Request<Body> {
    Request::post(path)
        .header(CONTENT_TYPE, "application/grpc")
        .body(Body::empty())
        .expect("a request")
}

/// Returns a well-formed call with a token of these claims.
pub fn call_as(path: &str, claims: &Value) -> Request<Body> {
    let mut call = call(path);
    let token = HeaderValue::try_from(token(claims)).expect("a header");
    call.headers_mut().insert(AUTHORIZATION, token);
    call
}

pub fn with_header(mut call: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    let value = HeaderValue::try_from(value).expect("a header");
    call.headers_mut().insert(name, value);
    call
}

pub async fn run(stack: &Stack, call: Request<Body>) -> Response<Body> {
    stack
        .clone()
        .oneshot(call)
        .await
        .unwrap_or_else(|never| match never {})
}

/// Returns the code and the reason of a call's end; the reason may be empty.
pub async fn ending(stack: &Stack, call: Request<Body>) -> (Code, String) {
    let status = status(run(stack, call).await).await;
    let info = status.get_details_error_info();
    (
        status.code(),
        info.map_or_else(String::new, |info| info.reason),
    )
}

pub fn reason(text: &str) -> String {
    text.to_owned()
}

pub fn success() -> (Code, String) {
    (Code::Ok, String::new())
}

pub async fn status(answer: Response<Body>) -> Status {
    let (head, body) = answer.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers) {
        return status;
    }
    let trailers = body
        .collect()
        .await
        .ok()
        .and_then(|all: Collected<_>| all.trailers().cloned());
    Status::from_header_map(&trailers.expect("trailers")).expect("a status")
}

/// Body that stays pending.
pub struct Silent;

impl HttpBody for Silent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Pending
    }
}
