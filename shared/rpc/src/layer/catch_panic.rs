//! Panics as errors.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::error::RpcError;

/// Answers a panic with INTERNAL, where tonic would reset the stream. The panic hook of the
/// process logs its message.
#[derive(Clone)]
pub(crate) struct CatchPanic;

impl Middleware for CatchPanic {
    async fn handle(&self, call: HttpRequest, next: &impl Next) -> HttpResponse {
        let answer = AssertUnwindSafe(next.run(call)).catch_unwind().await;
        answer.unwrap_or_else(|_| reject(RpcError::internal("the call panicked")))
    }
}
