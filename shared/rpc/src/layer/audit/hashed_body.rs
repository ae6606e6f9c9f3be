//! Request bodies that are hashed as they are received.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use domain::audit::RequestHasher;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// Body whose data go through a hasher.
pub(super) struct HashedBody {
    body: Body,
    hasher: RequestHasher,
}

impl HashedBody {
    pub const fn new(body: Body, hasher: RequestHasher) -> Self {
        Self { body, hasher }
    }
}

impl HttpBody for HashedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.hasher.update(data);
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
