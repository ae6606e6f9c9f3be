//! Quotas of callers.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};

/// Calls that quotas refused. Clones share the series.
#[derive(Debug, Clone)]
pub struct QuotaMetrics {
    refused: Counter<u64>,
}

/// A quota that refuses calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitedQuota {
    /// Calls of a profile.
    ProfileCalls,
    /// Sends of a profile.
    ProfileSends,
    /// Sends of an app and all its profiles.
    AppSends,
    /// Calls of an app itself.
    AppCalls,
    /// Concurrent calls of a profile.
    ProfileCallsInFlight,
    /// Concurrent calls of an app and all its profiles.
    AppCallsInFlight,
    /// Bytes of answers that their callers have not taken.
    AnswerBytes,
}

impl LimitedQuota {
    /// All quotas.
    pub const ALL: [Self; 7] = [
        Self::ProfileCalls,
        Self::ProfileSends,
        Self::AppSends,
        Self::AppCalls,
        Self::ProfileCallsInFlight,
        Self::AppCallsInFlight,
        Self::AnswerBytes,
    ];

    /// Value of the attribute `postroom.quota.name`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProfileCalls => "profile_calls",
            Self::ProfileSends => "profile_sends",
            Self::AppSends => "app_sends",
            Self::AppCalls => "app_calls",
            Self::ProfileCallsInFlight => "profile_calls_in_flight",
            Self::AppCallsInFlight => "app_calls_in_flight",
            Self::AnswerBytes => "answer_bytes",
        }
    }
}

impl QuotaMetrics {
    /// Instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&super::meter())
    }

    pub(super) fn of(meter: &Meter) -> Self {
        let metrics = Self {
            refused: super::counter(
                meter,
                "postroom.quota.refused",
                "{call}",
                "Calls refused as RATE_LIMITED, by the quota that was exhausted longest",
            ),
        };
        for quota in LimitedQuota::ALL {
            metrics.count(quota, 0);
        }
        metrics
    }

    /// Counts a call that a quota refused.
    pub fn refused(&self, quota: LimitedQuota) {
        self.count(quota, 1);
    }

    fn count(&self, quota: LimitedQuota, calls: u64) {
        let quota = KeyValue::new("postroom.quota.name", quota.as_str());
        self.refused.add(calls, &[quota]);
    }
}

impl Default for QuotaMetrics {
    fn default() -> Self {
        Self::new()
    }
}
