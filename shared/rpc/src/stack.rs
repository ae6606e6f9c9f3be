//! The stack of layers around every call, from the outermost to the innermost.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth::Authenticator;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Service, ServiceBuilder};

use crate::in_flight::InFlightLimits;
use crate::layer::access_log::{AccessLog, PseudonymKey};
use crate::layer::answer::Answer;
use crate::layer::audit::Audit;
pub use crate::layer::audit::CallAudit;
use crate::layer::authorize::Authorize;
use crate::layer::catch_panic::CatchPanic;
use crate::layer::concurrent_calls::ConcurrentCalls;
use crate::layer::deadline::Deadlines;
use crate::layer::load_shed::LoadShed;
use crate::layer::protocol_check::ProtocolCheck;
use crate::layer::rate_limit::RateLimit;
use crate::layer::read_request::ReadRequest;
use crate::layer::tonic_errors::TonicErrors;
use crate::layer::trace::Trace;
use crate::layer::{HttpRequest, InnerService, MiddlewareLayer, Next};
use crate::limiter::Limiter;
pub use crate::methods::ServiceName;
use crate::methods::{CatalogueError, Methods};
use crate::revocations::Revocations;

/// Configuration of a listener's stack.
pub struct Config {
    /// Service of the listener.
    pub service: ServiceName,
    /// Authenticator of the calls.
    pub authenticator: Arc<Authenticator>,
    /// Revocations of tokens, shared by both listeners.
    pub revocations: Arc<Revocations>,
    /// Rate limiter, shared by both listeners.
    pub limiter: Arc<Limiter>,
    /// Key of the pseudonyms in the access log.
    pub pseudonym_key: PseudonymKey,
    /// Bounds the invalid tokens of an address that are checked. Off behind a proxy, whose address
    /// all callers have.
    pub limits_addresses: bool,
    /// Maximum size of a request message, in bytes; a larger one is rejected with
    /// `MESSAGE_TOO_LARGE` before it has been read.
    pub request_bytes_max: usize,
    /// Audit log; none: calls of methods that are audited fail.
    pub audit: Option<CallAudit>,
    /// Maximum number of running calls; more are rejected with OVERLOADED.
    pub calls_in_flight_max: usize,
    /// Limits by app, profile and connection; more is rejected with `RATE_LIMITED`.
    pub in_flight: InFlightLimits,
}

/// Wraps the services of a listener in the layers. The services themselves limit the size of the
/// messages of a streamed request.
///
/// # Errors
/// If the catalogue of methods and the descriptors differ.
pub fn stack<S>(config: Config, services: S) -> Result<Stack, CatalogueError>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let methods = Methods::of(config.service)?;
    let layers = ServiceBuilder::new()
        // Looks the method up, and logs one line when the call has ended.
        .layer(MiddlewareLayer(AccessLog::new(
            methods,
            config.pseudonym_key,
        )))
        // A span, under the caller's trace.
        .layer(MiddlewareLayer(Trace))
        // Turns a panic of the inner layers into INTERNAL; later calls are unaffected.
        .layer(MiddlewareLayer(CatchPanic))
        // Accepts only POSTs of uncompressed gRPC messages to known methods.
        .layer(MiddlewareLayer(ProtocolCheck))
        // Enforces the deadline, which includes reading the request and taking the answer.
        .layer(MiddlewareLayer(Deadlines))
        // Authenticates the caller, and adds the proof that handlers require.
        .layer(MiddlewareLayer(Authorize::new(
            config.authenticator,
            config.revocations,
            config.limits_addresses,
        )))
        // Enforces the caller's quotas before anything of the request is read.
        .layer(MiddlewareLayer(RateLimit::new(config.limiter)))
        // Limits the concurrent calls of each caller.
        .layer(MiddlewareLayer(ConcurrentCalls::new(config.in_flight)))
        // Prepares the record of an audited call.
        .layer(MiddlewareLayer(Audit::new(config.audit)))
        // Reads the request, under a timeout of its own.
        .layer(MiddlewareLayer(ReadRequest::new(config.request_bytes_max)))
        // Rejects calls beyond the number that can be answered in time.
        .layer(MiddlewareLayer(LoadShed::new(config.calls_in_flight_max)))
        // Keeps the call's shares until its answer has been taken.
        .layer(MiddlewareLayer(Answer::new()))
        // Replaces tonic's own errors for malformed and too large requests.
        .layer(MiddlewareLayer(TonicErrors))
        .service(InnerService(services));
    Ok(Stack::new(layers))
}

/// Services of a listener, wrapped in all layers. Clones share everything.
#[derive(Clone)]
pub struct Stack(Arc<dyn Fn(HttpRequest) -> StackFuture + Send + Sync>);

type StackFuture = BoxFuture<'static, Result<Response<Body>, Infallible>>;

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
    type Future = StackFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Request<Body>) -> Self::Future {
        (self.0)(Box::new(call))
    }
}

#[cfg(test)]
mod tests;
