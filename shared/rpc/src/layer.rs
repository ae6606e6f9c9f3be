//! The layers around every call, one file each.
//!
//! A layer is one async function around what it encloses: it sees the call, passes it on or
//! not, and sees the answer. Layers are put together in [`stack`](crate::stack).

pub(crate) mod access_log;
pub(crate) mod authorize;
mod code;
pub(crate) mod deadline;
pub(crate) mod guard;
mod info;
pub(crate) mod load_shed;
pub(crate) mod panic;
pub(crate) mod rate_limit;
pub(crate) mod trace;
pub(crate) mod translate;

use std::convert::Infallible;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt as _};

use crate::error::RpcError;

/// A call on its way in: in a box, for it is handed on by every layer.
pub(crate) type Call = Box<Request<Body>>;
/// Its answer on its way out. There always is one: errors are answers.
pub(crate) type Answer = Response<Body>;

/// What a layer encloses. Each has a box of its own: futures within futures double in size
/// with every layer, and would be a megabyte for each call.
pub(crate) trait Next: Send + Sync {
    fn run(&self, call: Call) -> BoxFuture<'_, Answer>;
}

/// A layer.
pub(crate) trait Around: Clone + Send + Sync {
    fn around(&self, call: Call, next: &impl Next) -> impl Future<Output = Answer> + Send;
}

/// Puts a layer around what comes after it, as [`tower`] stacks layers.
pub(crate) struct Put<A>(pub A);

impl<A: Clone, N> Layer<N> for Put<A> {
    type Service = Enclosed<A, N>;

    fn layer(&self, next: N) -> Self::Service {
        Enclosed {
            layer: self.0.clone(),
            next,
        }
    }
}

/// A layer and what it encloses.
pub(crate) struct Enclosed<A, N> {
    layer: A,
    next: N,
}

impl<A: Around, N: Next> Next for Enclosed<A, N> {
    fn run(&self, call: Call) -> BoxFuture<'_, Answer> {
        Box::pin(self.layer.around(call, &self.next))
    }
}

/// What all layers enclose: the services.
pub(crate) struct Innermost<S>(pub S);

impl<S> Next for Innermost<S>
where
    S: Service<Request<Body>, Response = Answer, Error = Infallible> + Clone + Send + Sync,
    S::Future: Send,
{
    fn run(&self, call: Call) -> BoxFuture<'_, Answer> {
        Box::pin(self.0.clone().oneshot(*call).map(|answer| match answer {
            Ok(answer) => answer,
            Err(never) => match never {},
        }))
    }
}

/// An error as the answer.
pub(crate) fn refuse(error: RpcError) -> Answer {
    Status::from(error).into_http()
}
