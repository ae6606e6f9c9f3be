//! Answers in pieces.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tonic::Status;

use super::Held;
use crate::limits::{ANSWER_PIECE_BYTES, SMALL_ANSWER_BYTES};

/// Body that yields an answer in pieces of at most [`ANSWER_PIECE_BYTES`].
///
/// The connection asks for a piece once the caller's window has room for all before it. So what a
/// caller does not take stays here, with the shares of its call. The last byte of an answer beyond
/// [`SMALL_ANSWER_BYTES`] is a piece of its own: the rest is sure to have room when it is asked for.
pub(super) struct PiecewiseBody {
    data: Bytes,
    trailers: Option<HeaderMap>,
    _held: Held,
}

impl PiecewiseBody {
    pub const fn new(data: Bytes, trailers: Option<HeaderMap>, held: Held) -> Self {
        Self {
            data,
            trailers,
            _held: held,
        }
    }
}

impl HttpBody for PiecewiseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.data.is_empty() {
            let trailers = self.trailers.take();
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let length = next_piece(self.data.len());
        let piece = self.data.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }
}

/// Returns the length of the next piece of so many bytes.
const fn next_piece(bytes: usize) -> usize {
    if bytes > ANSWER_PIECE_BYTES {
        ANSWER_PIECE_BYTES
    } else if bytes > SMALL_ANSWER_BYTES {
        bytes - 1
    } else {
        bytes
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn pieces(bytes: usize) -> (Vec<usize>, usize) {
        let data: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        let held = Held {
            in_flight: None,
            _place: None,
            may_be_rejected: true,
        };
        let mut body = PiecewiseBody::new(Bytes::from(data.clone()), Some(trailers), held);
        let (mut lengths, mut joined, mut ends) = (Vec::new(), Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            match frame.expect("a frame").into_data() {
                Ok(piece) => {
                    lengths.push(piece.len());
                    joined.extend_from_slice(&piece);
                }
                Err(_) => ends += 1,
            }
        }
        assert_eq!(joined, data);
        (lengths, ends)
    }

    #[tokio::test]
    async fn the_last_byte_of_a_large_answer_is_a_piece_of_its_own() {
        for (bytes, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (1024, vec![1024]),
            (1025, vec![1024, 1]),
            (16_384, vec![16_383, 1]),
            (16_385, vec![16_384, 1]),
            (40_000, vec![16_384, 16_384, 7_231, 1]),
        ] {
            assert_eq!(pieces(bytes).await, (expected, 1), "{bytes}");
        }
    }
}
