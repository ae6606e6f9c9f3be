//! The layers around every call, from the outermost to the innermost, in one place.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth::Authenticator;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Service, ServiceBuilder};

use crate::layer::access_log::AccessLog;
use crate::layer::authorize::Authorize;
use crate::layer::deadline::Deadlines;
use crate::layer::guard::Guard;
use crate::layer::load_shed::LoadShed;
use crate::layer::panic::Panics;
use crate::layer::rate_limit::RateLimit;
use crate::layer::trace::Trace;
use crate::layer::translate::Translate;
use crate::layer::{Call, Innermost, Next, Put};
use crate::limiter::Limiter;
pub use crate::methods::Listener;
use crate::methods::{Methods, Mismatch};

/// What differs between the listeners.
pub struct Config {
    /// Whose methods they are.
    pub listener: Listener,
    /// Who tells who calls.
    pub authenticator: Arc<Authenticator>,
    /// Who counts what callers do, on both listeners.
    pub limiter: Arc<Limiter>,
    /// How many calls may be under way at once.
    pub calls_in_flight_max: usize,
}

/// Puts the layers around the services of a listener. The limit for the size of a request
/// is the services' own.
///
/// # Errors
/// If it is not settled for every method who may call it.
pub fn stack<S>(config: Config, services: S) -> Result<Stack, Mismatch>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let methods = Methods::of(config.listener)?;
    let layers = ServiceBuilder::new()
        // Finds the method's row, and writes one line when the call has ended.
        .layer(Put(AccessLog::new(methods)))
        // A span, under the caller's trace.
        .layer(Put(Trace))
        // A panic further in is answered INTERNAL, and the next call works.
        .layer(Put(Panics))
        // Only POSTs of uncompressed gRPC messages to methods that exist.
        .layer(Put(Guard))
        // From here on time runs, reading the request included.
        .layer(Put(Deadlines))
        // Only as many calls as can be answered in time.
        .layer(Put(LoadShed::new(config.calls_in_flight_max)))
        // Who calls, and whether they may: the proof that handlers ask for.
        .layer(Put(Authorize::new(config.authenticator)))
        // Only as often as the caller's quotas allow; nothing of a refused call is read.
        .layer(Put(RateLimit::new(config.limiter)))
        // What tonic itself says of a malformed or too large request, in our words.
        .layer(Put(Translate))
        .service(Innermost(services));
    Ok(Stack::new(layers))
}

/// The services of a listener with all layers around them. Clones share everything.
#[derive(Clone)]
pub struct Stack(Arc<dyn Fn(Call) -> Answering + Send + Sync>);

type Answering = BoxFuture<'static, Result<Response<Body>, Infallible>>;

impl Stack {
    fn new(layers: impl Next + 'static) -> Self {
        let layers = Arc::new(layers);
        Self(Arc::new(move |call| {
            let layers = layers.clone();
            Box::pin(async move { Ok(layers.run(call).await) })
        }))
    }
}

impl Service<Request<Body>> for Stack {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Request<Body>) -> Self::Future {
        (self.0)(Box::new(call))
    }
}

#[cfg(test)]
mod tests;
