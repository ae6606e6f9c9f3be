//! Reading of requests.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Interval, interval};
use tonic::body::Body;
use tonic::{Code, Status};

use super::support::*;
use crate::limits::REQUEST_BYTES_PER_SECOND_MIN;
use crate::stack::Config;
use crate::stack::ServiceName::{Messaging, Sys};
use auth::testing::{sys_claims, user_claims};

const SEND_TO_PROFILES: &str = "/postroom.sys.v1.Sys/SendToProfiles";
const TICK: Duration = Duration::from_millis(100);

/// Body of equal pieces, one each [`TICK`].
struct Slow {
    piece: Bytes,
    pieces: usize,
    tick: Interval,
}

impl Slow {
    /// Body of this many bytes per second, for this many seconds.
    fn body(bytes_per_second: usize, seconds: usize) -> Body {
        Body::new(Self {
            piece: vec![0; bytes_per_second / 10].into(),
            pieces: 10 * seconds,
            tick: interval(TICK),
        })
    }
}

impl HttpBody for Slow {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.pieces == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.tick.poll_tick(cx));
        self.pieces -= 1;
        Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
    }
}

fn send(body: Body) -> Request<Body> {
    call_as(SEND, &user_claims()).map(|_| body)
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_fails_after_two_seconds() {
    let stack = listener(Messaging, async |_| unreachable!("executed")).await;
    for (timeout, seconds) in [("1S", 1), ("30S", 2), ("1H", 2)] {
        let call = with_header(send(Body::new(Silent)), "grpc-timeout", timeout);
        let start = Instant::now();
        let expected = (Code::DeadlineExceeded, reason("DEADLINE"));
        assert_eq!(ending(&stack, call).await, expected);
        assert_eq!(start.elapsed().as_secs(), seconds, "{timeout:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_may_take_the_time_of_the_minimum_rate() {
    let change = |config| Config {
        request_bytes_max: usize::MAX,
        ..config
    };
    let stack = configured(change, async |call| {
        let body = call.into_body().collect().await.expect("a request");
        let rate = REQUEST_BYTES_PER_SECOND_MIN as usize / 10 * 10;
        assert_eq!(body.to_bytes().len(), 4 * rate);
        ok()
    });
    let stack = stack.await;
    let rate = REQUEST_BYTES_PER_SECOND_MIN as usize;
    let call = with_header(send(Slow::body(rate, 4)), "grpc-timeout", "30S");
    assert_eq!(ending(&stack, call).await, success());

    let call = with_header(send(Slow::body(rate / 2, 20)), "grpc-timeout", "30S");
    let start = Instant::now();
    let expected = (Code::DeadlineExceeded, reason("DEADLINE"));
    assert_eq!(ending(&stack, call).await, expected);
    assert_eq!(start.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_unsent_request_holds_no_place() {
    // One call may run at a time.
    let stack = listener(Messaging, async |_| ok()).await;
    let silent = tokio::spawn({
        let stack = stack.clone();
        async move { ending(&stack, send(Body::new(Silent))).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!silent.is_finished());
    assert_eq!(ending(&stack, send(Body::empty())).await, success());
    silent.await.expect("an end");
}

#[tokio::test]
async fn a_too_large_request_is_rejected_before_it_has_been_read() {
    let stack = listener(Messaging, async |_| ok()).await;
    let too_large = (Code::InvalidArgument, reason("MESSAGE_TOO_LARGE"));
    let prefix = 5;
    for (bytes, expected) in [
        (REQUEST_BYTES_MAX + prefix, success()),
        (REQUEST_BYTES_MAX + prefix + 1, too_large),
    ] {
        let piece = Body::new(http_body_util::Full::new(Bytes::from(vec![0; bytes])));
        assert_eq!(ending(&stack, send(piece)).await, expected, "{bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_streamed_request_is_left_to_its_handler() {
    let stack = listener(Sys, async |call| {
        let frame = call.into_body().frame().await;
        assert!(frame.expect("a frame").is_ok());
        ok()
    });
    let claims = sys_claims("sys.send");
    let call = call_as(SEND_TO_PROFILES, &claims).map(|_| Slow::body(1000, 60));
    assert_eq!(ending(&stack.await, call).await, success());
}
