//! Whole calls of users and of the app, with any headers and any body, through all layers and the
//! store: none ends as INTERNAL or UNKNOWN, and none is unanswered.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use proto::v1;
use rpc::methods::{Method, Methods, ServiceName};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tonic::body::Body;
use tower::ServiceExt as _;

use super::{FuzzTarget, formed};
use crate::issuer::{ALL_SCOPES, APP, TestIssuer};
use crate::service::TestService;
use crate::store::{DatabaseKind, Fixture as _};

pub const TARGET: FuzzTarget = FuzzTarget {
    name: "call",
    run,
    seeds,
};

/// Time in which a call ends, unless it is a stream that was opened.
const END_TIMEOUT: Duration = Duration::from_mins(2);

/// A service on an embedded database.
struct CallTarget {
    runtime: Runtime,
    service: TestService,
    methods: Vec<(ServiceName, Method)>,
    user: String,
    app: String,
}

static TARGETED: LazyLock<Mutex<CallTarget>> = LazyLock::new(|| Mutex::new(CallTarget::open()));

impl CallTarget {
    fn open() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let service = runtime.block_on(TestService::open(DatabaseKind::Sqlite.into()));
        let (issuer, now_s) = (TestIssuer::shared(), service.now_s());
        let of = |service| {
            let mut methods: Vec<Method> = Methods::of(service).expect("methods").iter().collect();
            methods.sort_by_key(|method| method.path);
            methods.into_iter().map(move |method| (service, method))
        };
        Self {
            methods: of(ServiceName::Messaging)
                .chain(of(ServiceName::Sys))
                .collect(),
            user: issuer.user(APP, "alice", now_s),
            app: issuer.sys(APP, ALL_SCOPES, now_s),
            runtime,
            service,
        }
    }

    /// Calls the method of a form, with headers before the first empty line and a body after it.
    fn call(&self, form: u8, rest: &[u8]) -> bool {
        let (service, method) = self.methods[usize::from(form) % self.methods.len()];
        let (stack, token) = match service {
            ServiceName::Messaging => (&self.service.listeners.messaging, &self.user),
            ServiceName::Sys => (&self.service.listeners.sys, &self.app),
        };
        let blank = rest.windows(2).position(|two| two == b"\n\n");
        let (head, body) = blank.map_or((&b""[..], rest), |at| (&rest[..at], &rest[at + 2..]));
        let body = Full::new(Bytes::copy_from_slice(body));
        let mut request = Request::post(format!("http://fuzz{}", method.path))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::new(body))
            .expect("a request");
        for line in head.split(|byte| *byte == b'\n') {
            let mut parts = line.splitn(2, |byte| *byte == b':');
            let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
            let value = HeaderValue::from_bytes(parts.next().unwrap_or_default());
            if let (Ok(name), Ok(value)) = (name, value) {
                request.headers_mut().insert(name, value);
            }
        }
        let ended = async {
            let response = stack.clone().oneshot(request).await;
            code(response.expect("an answer"), method.is_stream).await
        };
        let within = async { timeout(END_TIMEOUT, ended).await };
        let code = self.runtime.block_on(within);
        let code = code.expect("an end of the call");
        assert!(
            !["2", "13", "15"].contains(&&*code),
            "{code} of {}",
            method.path
        );
        code == "0"
    }
}

/// Code of an answer, which is in its headers or its trailers; "0" of a stream that has begun, and ""
/// of an answer that is not gRPC.
async fn code(response: Response<Body>, is_stream: bool) -> String {
    let text = |value: Option<&HeaderValue>| {
        let text = value.and_then(|value| value.to_str().ok());
        text.unwrap_or_default().to_owned()
    };
    if let Some(status) = response.headers().get("grpc-status") {
        return text(Some(status));
    }
    if !response.status().is_success() {
        return String::new();
    }
    if is_stream {
        return "0".to_owned();
    }
    let body = response.into_body().collect().await.expect("an answer");
    text(
        body.trailers()
            .and_then(|trailers| trailers.get("grpc-status")),
    )
}

fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else {
        return false;
    };
    let target = TARGETED.lock();
    target.expect("no call has panicked").call(*form, rest)
}

fn seeds() -> Vec<Vec<u8>> {
    let target = TARGETED.lock();
    let count = target.expect("no call has panicked").methods.len();
    let empty = frame(&[]);
    let named = frame(
        &v1::GetMessagesRequest {
            msgbox: "inbox".to_owned(),
            message_ids: vec!["01a1fd1e-d77c-76ea-9dab-0a2b1baa81a7".to_owned()],
            ..Default::default()
        }
        .encode_to_vec(),
    );
    let sent = frame(
        &v1::SendMessageSimpleRequest {
            to: vec!["bob".to_owned()],
            text: "hello".to_owned(),
            ..Default::default()
        }
        .encode_to_vec(),
    );
    let forms = 0..u8::try_from(count).expect("few methods");
    let mut seeds: Vec<Vec<u8>> = forms.clone().map(|form| formed(form, &empty)).collect();
    for body in [&named, &sent] {
        seeds.extend(forms.clone().map(|form| formed(form, body)));
    }
    let head =
        b"grpc-timeout:5S\ntraceparent:00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    seeds.push(formed(0, [&head[..], b"\n\n", &empty].concat()));
    seeds
}

/// A message as gRPC frames it.
fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a small message");
    [&[0], &length.to_be_bytes()[..], message].concat()
}
