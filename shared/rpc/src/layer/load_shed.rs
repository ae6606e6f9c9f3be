//! More calls than can be answered in time are refused at once.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::info::Info;
use super::{Answer, Around, Call, Next, refuse};
use crate::error::RpcError;
use crate::methods::Access;

/// Lets only so many calls in. Probes are let in always: a server that refuses calls is
/// alive. A stream of answers counts until it begins, a stream of requests until it is answered.
#[derive(Clone)]
pub(crate) struct LoadShed(Arc<Semaphore>);

impl LoadShed {
    pub fn new(calls_in_flight_max: usize) -> Self {
        Self(Arc::new(Semaphore::new(calls_in_flight_max)))
    }
}

impl Around for LoadShed {
    async fn around(&self, call: Call, next: &impl Next) -> Answer {
        if is_open(&call) {
            return next.run(call).await;
        }
        match self.0.try_acquire() {
            Ok(_place) => next.run(call).await,
            Err(_) => refuse(RpcError::Overloaded(None)),
        }
    }
}

fn is_open(call: &Call) -> bool {
    let method = Info::of(call).method;
    method.is_some_and(|method| method.access == Access::Open)
}
