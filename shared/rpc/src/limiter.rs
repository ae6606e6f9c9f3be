//! Rate limits by the generic cell rate algorithm (GCRA): a bucket for the calls and one for the
//! sends of each profile, one for the sends of each app, and one for the calls of the app itself.
//!
//! A call takes one token, which covers a bounded amount of work. Work beyond it is charged when it
//! has been done, to the same buckets: they may owe tokens then.
//!
//! The buckets are in the memory of this process: every replica counts for itself. A call takes
//! one token from each bucket that it counts for, or none from any; a refusal names the time
//! after which all of those buckets hold a token again.

mod app_quotas;
mod call_charges;
mod gcra;
mod profile_buckets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{AppId, Quotas, Rate};
use storage::{CostAccount, MailStore};
use telemetry::LimitedQuota::{AppCalls, AppSends, ProfileCalls, ProfileSends};
use telemetry::QuotaMetrics;

pub(crate) use self::app_quotas::AppQuotas;
use self::call_charges::{CallCharges, CallsOf};
use self::gcra::{Bucket, Exhausted, take_each};
use self::profile_buckets::{BucketCache, ProfileBuckets};
use crate::caller::{System, User};

/// Rate limiter of the calls and sends of all callers.
pub struct Limiter {
    apps: Arc<AppQuotas>,
    profiles: BucketCache,
    metrics: QuotaMetrics,
}

impl Limiter {
    /// Creates a limiter with the quotas of apps in the store. They are reread every
    /// `reread_every` while the app or its users call.
    #[must_use]
    pub fn over(store: Arc<dyn MailStore>, reread_every: Duration) -> Arc<Self> {
        Self::new(AppQuotas::in_store(store, reread_every))
    }

    /// Creates a limiter with the same quotas for every app, for listeners without a store.
    #[must_use]
    pub fn fixed(quotas: Quotas) -> Arc<Self> {
        Self::new(AppQuotas::fixed(quotas))
    }

    fn new(apps: AppQuotas) -> Arc<Self> {
        Arc::new(Self {
            apps: Arc::new(apps),
            profiles: BucketCache::new(),
            metrics: QuotaMetrics::new(),
        })
    }

    /// State of the apps, for those who need it besides.
    pub(crate) fn apps(&self) -> Arc<AppQuotas> {
        Arc::clone(&self.apps)
    }

    /// Puts the quotas of a version of an app's settings in force.
    pub fn set_quotas(&self, app: &AppId, version: i64, quotas: Quotas) {
        self.apps.set(app, version, quotas);
    }

    /// Counts a call of a user, and a send if `sends`.
    ///
    /// # Errors
    /// The time to wait if a quota is used up.
    pub(crate) fn user(&self, user: &User, sends: bool) -> Result<(), Duration> {
        let app = self.apps.get(user.app());
        let quotas = app.quotas();
        let profile = self.profiles.get(user);
        // Lock order: the profile's buckets, then the app's.
        let mut profile = profile.lock().unwrap_or_else(PoisonError::into_inner);
        let ProfileBuckets {
            calls,
            sends: own_sends,
        } = &mut *profile;
        calls.set_rate(quotas.profile_calls);
        if !sends {
            return self.counted(take_each([(ProfileCalls, Some(calls))]));
        }
        own_sends.set_rate(quotas.profile_sends);
        let mut app_sends = limited(&app.sends, quotas.app_sends);
        self.counted(take_each([
            (ProfileCalls, Some(calls)),
            (ProfileSends, Some(own_sends)),
            (AppSends, app_sends.as_deref_mut()),
        ]))
    }

    /// Counts a call of the app itself, and a send if `sends`.
    ///
    /// # Errors
    /// The time to wait if a quota is used up.
    pub(crate) fn system(&self, system: &System, sends: bool) -> Result<(), Duration> {
        let app = self.apps.get(system.app());
        let quotas = app.quotas();
        // Lock order: the app's calls, then its sends.
        let mut calls = limited(&app.calls, quotas.app_calls);
        let app_calls = (AppCalls, calls.as_deref_mut());
        if !sends {
            return self.counted(take_each([app_calls]));
        }
        let mut app_sends = limited(&app.sends, quotas.app_sends);
        self.counted(take_each([app_calls, (AppSends, app_sends.as_deref_mut())]))
    }

    /// Account for the work of a call of a user, and for its sends if `sends`.
    pub(crate) fn user_account(&self, user: &User, sends: bool) -> CostAccount {
        let profile = self.profiles.get(user);
        let sends_of = sends.then(|| self.apps.get(user.app()));
        let calls_of = CallsOf::Profile(profile);
        CostAccount::of(Arc::new(CallCharges::new(calls_of, sends_of)))
    }

    /// Account for the work of a call of the app itself, and for its sends if `sends`.
    pub(crate) fn system_account(&self, system: &System, sends: bool) -> CostAccount {
        let app = self.apps.get(system.app());
        let sends_of = sends.then(|| Arc::clone(&app));
        CostAccount::of(Arc::new(CallCharges::new(CallsOf::App(app), sends_of)))
    }

    /// Counts a refusal, and returns its time to wait.
    fn counted(&self, taken: Result<(), Exhausted>) -> Result<(), Duration> {
        taken.map_err(|Exhausted { quota, wait }| {
            self.metrics.refused(quota);
            wait
        })
    }
}

/// Locks a bucket of an app, which all of its callers share; none without a limit.
fn limited(bucket: &Mutex<Bucket>, rate: Rate) -> Option<MutexGuard<'_, Bucket>> {
    if rate.per_second == 0 {
        return None;
    }
    let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
    bucket.set_rate(rate);
    Some(bucket)
}

#[cfg(test)]
mod tests;
