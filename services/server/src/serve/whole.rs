//! The body of a request, whole or not at all.
//!
//! hyper and tonic take a body that its sender has reset for one that has ended, where that was
//! said kindly: to them, a caller who gives up wants no answer. But of a stream of requests, what
//! has come would be taken for all that was to come.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body as HttpBody, Frame, SizeHint};

/// A body that ends in an error unless its sender has ended it.
pub struct Whole<B>(pub B);

impl<B: HttpBody + Unpin> HttpBody for Whole<B> {
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

    /// A piece, and then an end.
    struct Sent {
        piece: Option<Bytes>,
        end: Option<Status>,
        is_ended: bool,
    }

    impl HttpBody for Sent {
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

    /// What tonic makes of it: how many pieces, and whether that was all.
    async fn heard(end: Option<Status>, is_ended: bool) -> (usize, bool) {
        let message = SendToProfilesRequest::default().encode_to_vec();
        let mut piece = vec![0];
        piece.extend(u32::try_from(message.len()).expect("few").to_be_bytes());
        piece.extend(message);
        let sent = Sent {
            piece: Some(piece.into()),
            end,
            is_ended,
        };
        let mut codec = ProstCodec::<SendToProfilesRequest, SendToProfilesRequest>::default();
        let body = Body::new(Whole(sent));
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
    async fn a_request_that_its_sender_has_not_ended_is_an_error() {
        assert_eq!(heard(None, true).await, (1, true));
        assert_eq!(
            heard(None, false).await,
            (1, false),
            "reset without an error"
        );
        for status in [Status::cancelled(""), Status::unknown("")] {
            assert_eq!(heard(Some(status), false).await, (1, false));
        }
    }
}
