//! Response bodies whose end is recorded.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::call_record::{CallEnd, CallRecord};

/// Body whose trailers contain the outcome of the call.
pub(super) struct ObservedBody {
    body: Body,
    record: CallRecord,
}

impl ObservedBody {
    pub const fn new(body: Body, record: CallRecord) -> Self {
        Self { body, record }
    }

    fn observe(&mut self, frame: &Result<Frame<Bytes>, Status>) {
        let outcome = match frame {
            Ok(frame) => frame.trailers_ref().and_then(CallEnd::of_trailers),
            Err(status) => Some(CallEnd::of_status(status)),
        };
        if let Some(outcome) = outcome {
            self.record.close(outcome);
        }
    }
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(frame)) = &polled {
            self.observe(frame);
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
