//! The calls of one connection: counted while they are open, and ended by the drain, or when their
//! answers are not taken.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use rpc::{AnswerDeadline, ConnectionAnswers, RpcError};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::complete_body::CompleteBody;
use super::executor::AnswerProgress;
use crate::serve::drain::Drain;

/// gRPC services of a listener, under all layers.
pub type GrpcService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// hyper's service for one connection. Clones share the numbers of calls.
#[derive(Clone)]
pub struct ConnectionCalls {
    service: GrpcService,
    answers: ConnectionAnswers,
    peer: TcpConnectInfo,
    drain: Drain,
    calls: CallCounts,
}

/// Numbers of a connection's calls. Clones share them.
#[derive(Clone, Default)]
pub struct CallCounts(Arc<StartedAndEnded>);

#[derive(Default)]
struct StartedAndEnded {
    started: AtomicU64,
    ended: AtomicU64,
}

impl CallCounts {
    /// Returns whether no call is open.
    pub fn is_idle(&self) -> bool {
        self.0.ended.load(Ordering::Acquire) == self.started()
    }

    /// Number of calls so far, with those that have ended.
    pub fn started(&self) -> u64 {
        self.0.started.load(Ordering::Relaxed)
    }

    fn start(&self) -> OpenCall {
        self.0.started.fetch_add(1, Ordering::Relaxed);
        OpenCall(self.0.clone())
    }
}

/// A call that is open until this is dropped.
struct OpenCall(Arc<StartedAndEnded>);

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Release);
    }
}

impl ConnectionCalls {
    pub fn new(service: GrpcService, peer: TcpConnectInfo, drain: Drain) -> Self {
        Self {
            service,
            answers: ConnectionAnswers::default(),
            peer,
            drain,
            calls: CallCounts::default(),
        }
    }

    /// Numbers of the calls.
    pub fn counts(&self) -> CallCounts {
        self.calls.clone()
    }
}

impl hyper::service::Service<Request<Incoming>> for ConnectionCalls {
    type Response = Response<CallBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let service = self.service.clone();
        let drain = self.drain.clone();
        let open = self.calls.start();
        let mut request = request.map(|body| Body::new(CompleteBody(body)));
        request.extensions_mut().insert(self.peer.clone());
        request.extensions_mut().insert(self.answers.clone());
        Box::pin(async move {
            let response = tokio::select! {
                response = service.oneshot(request) => response?,
                () = drain.calls_end() => Status::from(RpcError::Draining).into_http(),
            };
            let progress = AnswerProgress::of_task();
            if let Some(AnswerDeadline(deadline)) = response.extensions().get() {
                progress.set_deadline(*deadline);
            }
            Ok(response.map(|body| CallBody {
                body,
                progress,
                _open: open,
            }))
        })
    }
}

/// A response body; its call is open until it has been sent or dropped.
pub struct CallBody {
    body: Body,
    progress: Arc<AnswerProgress>,
    _open: OpenCall,
}

impl HttpBody for CallBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match polled {
            Poll::Ready(Some(Ok(_))) => self.progress.handed_over(),
            Poll::Ready(None | Some(Err(_))) | Poll::Pending => self.progress.taken(),
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
