//! Reading of requests.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::error::RpcError;
use crate::limits::{REQUEST_BYTES_PER_SECOND_MIN, REQUEST_READ_TIMEOUT};
use crate::methods::Access;

/// Bytes of a gRPC message before its own.
const PREFIX_BYTES: usize = 5;

/// Reads a request to its end, so that a caller who does not send it holds no place among the
/// running calls. Requests that are streams are read by their handlers.
#[derive(Clone)]
pub(crate) struct ReadRequest {
    bytes_max: usize,
}

impl ReadRequest {
    /// A layer for requests whose message has at most this many bytes.
    pub const fn new(message_bytes_max: usize) -> Self {
        Self {
            bytes_max: message_bytes_max.saturating_add(PREFIX_BYTES),
        }
    }
}

impl Middleware for ReadRequest {
    async fn handle(&self, call: HttpRequest, next: &impl Next) -> HttpResponse {
        if may_be_stream(&call) {
            return next.run(call).await;
        }
        let (head, body) = (*call).into_parts();
        match read(body, self.bytes_max).await {
            Ok(bytes) => {
                let body = Body::new(Full::new(bytes));
                next.run(Box::new(http::Request::from_parts(head, body)))
                    .await
            }
            Err(ReadError::Unfinished) => unfinished(),
            Err(ReadError::TooLarge) => reject(RpcError::RequestTooLarge),
            Err(ReadError::TooSlow) => reject(RpcError::Deadline),
        }
    }
}

/// Returns the response to a request that its caller has not ended: no failure of the server.
pub(super) fn unfinished() -> HttpResponse {
    Status::cancelled("the request did not end").into_http()
}

fn may_be_stream(call: &HttpRequest) -> bool {
    let method = CallInfo::of(call).method;
    // The streams of reflection go both ways.
    method.is_some_and(|method| {
        method.takes_stream || (method.is_stream && method.access == Access::Open)
    })
}

/// Failure to read a request.
#[derive(Debug, PartialEq, Eq)]
enum ReadError {
    /// The caller has gone before the end.
    Unfinished,
    /// More bytes than allowed.
    TooLarge,
    /// Fewer bytes than the time requires.
    TooSlow,
}

/// Reads a body to its end, within [`REQUEST_READ_TIMEOUT`] and the time that its bytes take at
/// [`REQUEST_BYTES_PER_SECOND_MIN`].
async fn read(mut body: Body, bytes_max: usize) -> Result<Bytes, ReadError> {
    let start = Instant::now();
    let mut parts = Parts::default();
    loop {
        let end = start + time_for(parts.bytes);
        let frame = timeout_at(end, body.frame()).await;
        let Some(frame) = frame.map_err(|_| ReadError::TooSlow)? else {
            return Ok(parts.join());
        };
        let frame = frame.map_err(|_| ReadError::Unfinished)?;
        if let Ok(data) = frame.into_data() {
            parts.push(data);
        }
        if parts.bytes > bytes_max {
            return Err(ReadError::TooLarge);
        }
    }
}

fn time_for(bytes: usize) -> Duration {
    let rate = f64::from(REQUEST_BYTES_PER_SECOND_MIN);
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    REQUEST_READ_TIMEOUT + Duration::from_secs_f64(f64::from(bytes) / rate)
}

/// Parts of a request; most have one, which is not copied.
#[derive(Default)]
struct Parts {
    first: Bytes,
    rest: BytesMut,
    bytes: usize,
}

impl Parts {
    fn push(&mut self, part: Bytes) {
        self.bytes += part.len();
        if self.first.is_empty() {
            self.first = part;
        } else {
            self.rest.extend_from_slice(&part);
        }
    }

    fn join(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        let mut all = BytesMut::with_capacity(self.bytes);
        all.extend_from_slice(&self.first);
        all.unsplit(self.rest);
        all.freeze()
    }
}
