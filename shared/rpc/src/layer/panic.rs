//! A panic is an answer, too.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use super::{Answer, Around, Call, Next, refuse};
use crate::error::RpcError;

/// Answers INTERNAL where tonic would reset the stream. What the panic said is with the
/// process' panic hook.
#[derive(Clone)]
pub(crate) struct Panics;

impl Around for Panics {
    async fn around(&self, call: Call, next: &impl Next) -> Answer {
        let answer = AssertUnwindSafe(next.run(call)).catch_unwind().await;
        answer.unwrap_or_else(|_| refuse(RpcError::internal("the call panicked")))
    }
}
