//! Rate limits by the generic cell rate algorithm (GCRA): a bucket for the calls and one for
//! the sends of each profile, and one for the sends of each app.
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

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{AppId, Quotas};
use storage::{CostAccount, MailStore};
use telemetry::LimitedQuota::{AppSends, ProfileCalls, ProfileSends};
use telemetry::QuotaMetrics;

pub(crate) use self::app_quotas::AppQuotas;
use self::app_quotas::LimitedApp;
use self::call_charges::CallCharges;
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
        let mut app_sends = app_sends(&app, quotas);
        self.counted(take_each([
            (ProfileCalls, Some(calls)),
            (ProfileSends, Some(own_sends)),
            (AppSends, app_sends.as_deref_mut()),
        ]))
    }

    /// Counts a send of the app itself.
    ///
    /// # Errors
    /// The time to wait if the quota is used up.
    pub(crate) fn system(&self, system: &System) -> Result<(), Duration> {
        let app = self.apps.get(system.app());
        let mut app_sends = app_sends(&app, app.quotas());
        self.counted(take_each([(AppSends, app_sends.as_deref_mut())]))
    }

    /// Account for the work of a call of a user, and for its sends if `sends`.
    pub(crate) fn user_account(&self, user: &User, sends: bool) -> CostAccount {
        let profile = self.profiles.get(user);
        let sends_of = sends.then(|| self.apps.get(user.app()));
        CostAccount::of(Arc::new(CallCharges::new(Some(profile), sends_of)))
    }

    /// Account for the sends of the app itself.
    pub(crate) fn system_account(&self, system: &System) -> CostAccount {
        let sends_of = self.apps.get(system.app());
        CostAccount::of(Arc::new(CallCharges::new(None, Some(sends_of))))
    }

    /// Counts a refusal, and returns its time to wait.
    fn counted(&self, taken: Result<(), Exhausted>) -> Result<(), Duration> {
        taken.map_err(|Exhausted { quota, wait }| {
            self.metrics.refused(quota);
            wait
        })
    }
}

/// Locks the bucket of an app's sends, which all of its profiles share; none without a limit.
fn app_sends(app: &LimitedApp, quotas: Quotas) -> Option<MutexGuard<'_, Bucket>> {
    if quotas.app_sends.per_second == 0 {
        return None;
    }
    let mut sends = app.sends.lock().unwrap_or_else(PoisonError::into_inner);
    sends.set_rate(quotas.app_sends);
    Some(sends)
}

#[cfg(test)]
mod tests;
