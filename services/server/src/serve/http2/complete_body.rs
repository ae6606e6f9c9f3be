//! A request body that fails unless its sender has ended it.
//!
//! hyper and tonic treat a stream that was reset with `NO_ERROR` or `CANCEL` like one that has ended,
//! because a caller who cancels expects no response. For a stream of requests that is wrong: a
//! part of the messages would pass for all of them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body as HttpBody, Frame, SizeHint};

/// A body that yields an error if it stops before its sender has ended it.
pub struct CompleteBody<B>(pub B);

impl<B: HttpBody + Unpin> HttpBody for CompleteBody<B> {
    type Data = B::Data;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, io::Error>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            Some(Ok(frame)) => Some(Ok(frame)),
            None if self.0.is_end_stream() => None,
            Some(Err(_)) | None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use prost::Message as _;
    use proto::sys::v1::SendToProfilesRequest;
    use tonic::Status;
    use tonic::body::Body;
    use tonic::codec::{Codec as _, Streaming};
    use tonic_prost::ProstCodec;

    use super::*;

    /// A body of one piece, and then an end.
    struct TestBody {
        piece: Option<Bytes>,
        end: Option<Status>,
        is_ended: bool,
    }

    impl HttpBody for TestBody {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            let piece = self.piece.take().map(|bytes| Ok(Frame::data(bytes)));
            Poll::Ready(piece.or_else(|| self.end.take().map(Err)))
        }

        fn is_end_stream(&self) -> bool {
            self.is_ended && self.piece.is_none()
        }
    }

    /// Returns the number of messages that tonic reads from the body, and whether the stream ended
    /// without an error.
    async fn read(end: Option<Status>, is_ended: bool) -> (usize, bool) {
        let message = SendToProfilesRequest::default().encode_to_vec();
        let mut piece = vec![0];
        piece.extend(u32::try_from(message.len()).expect("few").to_be_bytes());
        piece.extend(message);
        let body = TestBody {
            piece: Some(piece.into()),
            end,
            is_ended,
        };
        let mut codec = ProstCodec::<SendToProfilesRequest, SendToProfilesRequest>::default();
        let body = Body::new(CompleteBody(body));
        let mut pieces = Streaming::new_request(codec.decoder(), body, None, None);
        let mut count = 0;
        loop {
            match pieces.message().await {
                Ok(Some(_)) => count += 1,
                Ok(None) => return (count, true),
                Err(_) => return (count, false),
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_its_sender_has_not_ended_yields_an_error() {
        assert_eq!(read(None, true).await, (1, true));
        assert_eq!(
            read(None, false).await,
            (1, false),
            "reset without an error"
        );
        for status in [Status::cancelled(""), Status::unknown("")] {
            assert_eq!(read(Some(status), false).await, (1, false));
        }
    }
}
