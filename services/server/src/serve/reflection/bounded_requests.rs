//! Requests of a reflection stream, bounded in time and size.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;

use crate::limits::{REFLECTION_AGE_MAX, REFLECTION_REQUEST_BYTES_MAX};
use crate::serve::open_streams::StreamPlace;

/// Body that ends after [`REFLECTION_AGE_MAX`] or [`REFLECTION_REQUEST_BYTES_MAX`], as if its
/// sender had ended it.
pub struct BoundedRequests {
    body: Body,
    bytes_left: usize,
    end: Pin<Box<Sleep>>,
    /// Place of the stream; `None` once the body has ended.
    place: Option<StreamPlace>,
}

impl BoundedRequests {
    pub fn new(body: Body, place: StreamPlace) -> Self {
        Self {
            body,
            bytes_left: REFLECTION_REQUEST_BYTES_MAX,
            end: Box::pin(sleep(REFLECTION_AGE_MAX)),
            place: Some(place),
        }
    }

    /// Counts the bytes of a frame, and returns whether they are within the bound.
    fn admits(&mut self, frame: &Result<Frame<Bytes>, Status>) -> bool {
        let data = frame.as_ref().ok().and_then(Frame::data_ref);
        let left = self.bytes_left.checked_sub(data.map_or(0, Bytes::len));
        self.bytes_left = left.unwrap_or_default();
        left.is_some()
    }
}

impl HttpBody for BoundedRequests {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.place.is_some() && self.end.as_mut().poll(cx).is_pending() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            if let Some(frame) = frame.filter(|frame| self.admits(frame)) {
                return Poll::Ready(Some(frame));
            }
        }
        self.place = None;
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.place.is_none() || self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::poll_fn;

    use futures::{StreamExt as _, stream};
    use http::Extensions;
    use tokio::time::Instant;

    use super::*;
    use crate::serve::open_streams::{ConnectionPlaces, StreamKind, StreamPlaces};

    const PIECE: usize = 1024;

    /// Body that yields pieces without end, or nothing.
    struct Endless(bool);

    impl HttpBody for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.0 {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; PIECE])))))
            } else {
                Poll::Pending
            }
        }
    }

    /// Returns the number of pieces until the end.
    async fn pieces(body: Endless) -> usize {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectionPlaces::new());
        let place = StreamPlaces::new(StreamKind::Reflection).take(&extensions);
        let mut body = BoundedRequests::new(Body::new(body), place.expect("a place"));
        let pieces = stream::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let count = pieces.count().await;
        assert!(body.is_end_stream());
        let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert!(next.is_none());
        count
    }

    #[tokio::test]
    async fn requests_end_at_their_maximum_size() {
        let most = REFLECTION_REQUEST_BYTES_MAX / PIECE;
        assert_eq!(pieces(Endless(true)).await, most);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_end_at_their_maximum_age() {
        let start = Instant::now();
        assert_eq!(pieces(Endless(false)).await, 0);
        assert_eq!(start.elapsed(), REFLECTION_AGE_MAX);
    }
}
