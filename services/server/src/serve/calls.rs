//! The calls of one connection: counted, and ended when the drain says so.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use rpc::RpcError;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::drain::Drain;
use super::whole::Whole;

/// What answers the calls of a listener.
pub type Answerer = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The calls of one connection. Clones count together.
#[derive(Clone)]
pub struct Calls {
    answerer: Answerer,
    peer: TcpConnectInfo,
    drain: Drain,
    open: Arc<()>,
}

impl Calls {
    pub fn new(answerer: Answerer, peer: TcpConnectInfo, drain: Drain) -> Self {
        Self {
            answerer,
            peer,
            drain,
            open: Arc::new(()),
        }
    }

    /// Tells how many calls are open, as long as it lives.
    pub fn gauge(&self) -> Gauge {
        Gauge(self.open.clone())
    }
}

/// Tells whether calls are open.
pub struct Gauge(Arc<()>);

impl Gauge {
    /// Whether none is. Two hold the count at any time: the connection's service, and this.
    pub fn is_idle(&self) -> bool {
        Arc::strong_count(&self.0) <= 2
    }
}

impl hyper::service::Service<Request<Incoming>> for Calls {
    type Response = Response<Counted>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answerer = self.answerer.clone();
        let drain = self.drain.clone();
        let open = self.open.clone();
        let mut request = request.map(|body| Body::new(Whole(body)));
        request.extensions_mut().insert(self.peer.clone());
        Box::pin(async move {
            let response = tokio::select! {
                response = answerer.oneshot(request) => response?,
                () = drain.calls_end() => Status::from(RpcError::Draining).into_http(),
            };
            Ok(response.map(|body| Counted { body, _open: open }))
        })
    }
}

/// The body of an answer; its call is open until it has been sent.
pub struct Counted {
    body: Body,
    _open: Arc<()>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
