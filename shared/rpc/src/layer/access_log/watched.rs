//! An answer that is watched to its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::record::{Outcome, Record};
use crate::layer::code;

/// A body whose trailers say how the call ended.
pub(super) struct Watched {
    body: Body,
    record: Record,
}

impl Watched {
    pub const fn new(body: Body, record: Record) -> Self {
        Self { body, record }
    }

    fn see(&mut self, frame: &Result<Frame<Bytes>, Status>) {
        let outcome = match frame {
            Ok(frame) => frame
                .trailers_ref()
                .and_then(code::of)
                .map(Outcome::of_code),
            Err(status) => Some(Outcome::of_status(status)),
        };
        if let Some(outcome) = outcome {
            self.record.close(outcome);
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(frame)) = &polled {
            self.see(frame);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
