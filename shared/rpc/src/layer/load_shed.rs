//! Load shedding.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::error::RpcError;
use crate::methods::Access;

/// Rejects calls while the maximum number of calls is running. Health and reflection always
/// pass. A call has its [`Place`] from when its request has been read.
#[derive(Clone)]
pub(crate) struct LoadShed(Arc<Semaphore>);

/// Place of a running call, as an extension of its request. It is free when the last clone is
/// dropped.
#[derive(Debug, Clone)]
pub(crate) struct Place(#[expect(dead_code, reason = "held")] Arc<OwnedSemaphorePermit>);

impl LoadShed {
    pub fn new(calls_in_flight_max: usize) -> Self {
        Self(Arc::new(Semaphore::new(calls_in_flight_max)))
    }
}

impl Middleware for LoadShed {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        if is_open(&call) {
            return next.run(call).await;
        }
        match Arc::clone(&self.0).try_acquire_owned() {
            Ok(permit) => {
                call.extensions_mut().insert(Place(Arc::new(permit)));
                next.run(call).await
            }
            Err(_) => reject(RpcError::Overloaded(None)),
        }
    }
}

fn is_open(call: &HttpRequest) -> bool {
    let method = CallInfo::of(call).method;
    method.is_some_and(|method| method.access == Access::Open)
}
