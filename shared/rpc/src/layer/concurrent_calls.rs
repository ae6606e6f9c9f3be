//! Limits of concurrent calls by app and profile.

use std::sync::Arc;
use std::time::Duration;

use telemetry::QuotaMetrics;

use super::{HttpRequest, HttpResponse, Middleware, Next, reject};
use crate::caller::{System, User};
use crate::error::RpcError;
use crate::in_flight::{CallInFlight, ConnectionAnswers, InFlight, InFlightLimits};

/// Time after which a caller with too many concurrent calls may try again.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Counts calls in flight before anything of their requests is read, and rejects those of callers
/// with too many. Open methods have no caller and no limit.
#[derive(Clone)]
pub(crate) struct ConcurrentCalls {
    in_flight: Arc<InFlight>,
    metrics: QuotaMetrics,
}

impl ConcurrentCalls {
    pub fn new(limits: InFlightLimits) -> Self {
        Self {
            in_flight: InFlight::new(limits),
            metrics: QuotaMetrics::new(),
        }
    }

    /// Counts the call until the last clone of the result is dropped; none for open methods.
    fn begin(&self, call: &HttpRequest) -> Result<Option<Arc<CallInFlight>>, RpcError> {
        let extensions = call.extensions();
        let connection = extensions.get::<ConnectionAnswers>().cloned();
        let begun = if let Some(user) = extensions.get::<User>() {
            self.in_flight
                .begin(user.app(), Some(user.profile()), connection)
        } else if let Some(system) = extensions.get::<System>() {
            self.in_flight.begin(system.app(), None, connection)
        } else {
            return Ok(None);
        };
        let begun = begun.map_err(|quota| {
            self.metrics.refused(quota);
            RpcError::RateLimited {
                retry_after: RETRY_AFTER,
            }
        })?;
        Ok(Some(Arc::new(begun)))
    }
}

impl Middleware for ConcurrentCalls {
    async fn handle(&self, mut call: HttpRequest, next: &impl Next) -> HttpResponse {
        match self.begin(&call) {
            Ok(Some(in_flight)) => {
                call.extensions_mut().insert(Arc::clone(&in_flight));
                next.run(call).await
            }
            Ok(None) => next.run(call).await,
            Err(error) => reject(error),
        }
    }
}
