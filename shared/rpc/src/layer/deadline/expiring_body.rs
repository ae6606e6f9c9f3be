//! Response streams with a timeout.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

use crate::error::RpcError;

/// Body that ends at a time, with `DEADLINE_EXCEEDED` in its trailers.
pub(super) struct ExpiringBody {
    body: Body,
    end: Pin<Box<Sleep>>,
    has_ended: bool,
}

impl ExpiringBody {
    pub fn new(body: Body, end: Instant) -> Self {
        Self {
            body,
            end: Box::pin(sleep_until(end)),
            has_ended: false,
        }
    }
}

impl HttpBody for ExpiringBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        if self.end.as_mut().poll(cx).is_ready() {
            self.has_ended = true;
            return Poll::Ready(Some(trailers().map(Frame::trailers)));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended || self.body.is_end_stream()
    }
}

fn trailers() -> Result<HeaderMap, Status> {
    let mut trailers = HeaderMap::new();
    Status::from(RpcError::Deadline).add_header(&mut trailers)?;
    Ok(trailers)
}
