//! How often callers may call.

use std::sync::Arc;
use std::time::Duration;

use super::info::Info;
use super::{Answer, Around, Call, Next, refuse};
use crate::caller::{System, User};
use crate::error::RpcError;
use crate::limiter::Limiter;

/// Refuses what is over its caller's quotas, before anything is read of it. Calls without a
/// proof of who calls are of methods that are open to all, and have no quota.
#[derive(Clone)]
pub(crate) struct RateLimit(Arc<Limiter>);

impl RateLimit {
    pub const fn new(limiter: Arc<Limiter>) -> Self {
        Self(limiter)
    }

    fn admit(&self, call: &Call) -> Result<(), Duration> {
        let sends = Info::of(call).method.is_some_and(|method| method.sends);
        if let Some(user) = call.extensions().get::<User>() {
            return self.0.user(user, sends);
        }
        match call.extensions().get::<System>() {
            Some(system) if sends => self.0.system(system),
            _ => Ok(()),
        }
    }
}

impl Around for RateLimit {
    async fn around(&self, call: Call, next: &impl Next) -> Answer {
        match self.admit(&call) {
            Ok(()) => next.run(call).await,
            Err(retry_after) => refuse(RpcError::RateLimited { retry_after }),
        }
    }
}
