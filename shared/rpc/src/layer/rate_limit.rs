//! Rate limits of callers.

use std::sync::Arc;
use std::time::Duration;

use storage::CostAccount;

use super::call_info::CallInfo;
use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::caller::{System, User};
use crate::error::RpcError;
use crate::limiter::Limiter;

/// Rejects calls over the quotas of their callers, before the request is read, and adds the account
/// that the work of the others is charged to. Open methods have no caller and no quota.
#[derive(Clone)]
pub(crate) struct RateLimit(Arc<Limiter>);

impl RateLimit {
    pub const fn new(limiter: Arc<Limiter>) -> Self {
        Self(limiter)
    }

    /// Counts the call, and returns the account for its work.
    fn admit(&self, call: &HttpRequest) -> Result<CostAccount, Duration> {
        let sends = CallInfo::of(call).method.is_some_and(|method| method.sends);
        if let Some(user) = call.extensions().get::<User>() {
            self.0.user(user, sends)?;
            return Ok(self.0.user_account(user, sends));
        }
        if let Some(system) = call.extensions().get::<System>() {
            self.0.system(system, sends)?;
            return Ok(self.0.system_account(system, sends));
        }
        Ok(CostAccount::default())
    }
}

impl Middleware for RateLimit {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        match self.admit(&call) {
            Ok(account) => {
                call.extensions_mut().insert(account);
                next.run(call).await
            }
            Err(retry_after) => reject(RpcError::RateLimited { retry_after }),
        }
    }
}
