//! Load shedding.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::error::RpcError;
use crate::methods::Access;

/// Rejects calls while the maximum number of calls is running. Health and reflection always
/// pass. A response stream counts until it begins, a request stream until it is answered.
#[derive(Clone)]
pub(crate) struct LoadShed(Arc<Semaphore>);

impl LoadShed {
    pub fn new(calls_in_flight_max: usize) -> Self {
        Self(Arc::new(Semaphore::new(calls_in_flight_max)))
    }
}

impl Middleware for LoadShed {
    async fn handle(&self, call: HttpRequest, next: &impl Next) -> HttpResponse {
        if is_open(&call) {
            return next.run(call).await;
        }
        match self.0.try_acquire() {
            Ok(_permit) => next.run(call).await,
            Err(_) => reject(RpcError::Overloaded(None)),
        }
    }
}

fn is_open(call: &HttpRequest) -> bool {
    let method = CallInfo::of(call).method;
    method.is_some_and(|method| method.access == Access::Open)
}
