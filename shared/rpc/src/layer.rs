//! Middleware around every call, one file each.
//!
//! A middleware is an async function around the next one: it gets the request, passes it on or
//! rejects it, and gets the response. [`stack`](crate::stack) composes them.

pub(crate) mod access_log;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod authorize;
pub(crate) mod call_info;
pub(crate) mod catch_panic;
mod code;
pub(crate) mod concurrent_calls;
pub(crate) mod deadline;
pub(crate) mod load_shed;
pub(crate) mod protocol_check;
pub(crate) mod rate_limit;
pub(crate) mod read_request;
pub(crate) mod tonic_errors;
pub(crate) mod trace;

use std::convert::Infallible;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt as _};

use crate::error::RpcError;

/// Request of a call; boxed, because every layer passes it on.
pub(crate) type HttpRequest = Box<Request<Body>>;
/// Response of a call. Errors are responses, too.
pub(crate) type HttpResponse = Response<Body>;

/// The rest of the stack behind a middleware. Its future is boxed: nested futures double in
/// size with every layer, and would take a megabyte for each call.
pub(crate) trait Next: Send + Sync {
    fn run(&self, call: HttpRequest) -> BoxFuture<'_, HttpResponse>;
}

/// Middleware around the rest of the stack.
pub(crate) trait Middleware: Clone + Send + Sync {
    fn handle(
        &self,
        call: HttpRequest,
        next: &impl Next,
    ) -> impl Future<Output = HttpResponse> + Send;
}

/// Layer of [`tower`] that adds a middleware.
pub(crate) struct MiddlewareLayer<M>(pub M);

impl<M: Clone, N> Layer<N> for MiddlewareLayer<M> {
    type Service = MiddlewareService<M, N>;

    fn layer(&self, next: N) -> Self::Service {
        MiddlewareService {
            middleware: self.0.clone(),
            next,
        }
    }
}

/// A middleware and the rest of the stack.
pub(crate) struct MiddlewareService<M, N> {
    middleware: M,
    next: N,
}

impl<M: Middleware, N: Next> Next for MiddlewareService<M, N> {
    fn run(&self, call: HttpRequest) -> BoxFuture<'_, HttpResponse> {
        Box::pin(self.middleware.handle(call, &self.next))
    }
}

/// Services at the end of the stack.
pub(crate) struct InnerService<S>(pub S);

impl<S> Next for InnerService<S>
where
    S: Service<Request<Body>, Response = HttpResponse, Error = Infallible> + Clone + Send + Sync,
    S::Future: Send,
{
    fn run(&self, call: HttpRequest) -> BoxFuture<'_, HttpResponse> {
        Box::pin(self.0.clone().oneshot(*call).map(|answer| match answer {
            Ok(answer) => answer,
            Err(never) => match never {},
        }))
    }
}

/// Returns the response for an error.
pub(crate) fn reject(error: RpcError) -> HttpResponse {
    Status::from(error).into_http()
}
