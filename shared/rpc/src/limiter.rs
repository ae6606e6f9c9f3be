//! How often callers may call and send, by buckets of tokens: one for the calls and one for the
//! sends of each profile, and one for the sends of each app.
//!
//! The buckets are in this process' memory: a replica knows nothing of what others let pass.
//! A call takes one token out of each bucket that it counts for, or none out of any. Whoever
//! is refused is told after how long all of those buckets have a token again.

mod apps;
mod bucket;
mod profiles;
mod ticks;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::{AppId, Quotas};
use storage::MailStore;

use self::apps::{App, Apps};
use self::bucket::{Bucket, take_each};
use self::profiles::Profiles;
use self::ticks::Ticks;
use crate::caller::{System, User};

/// Counts calls and sends, and says which are too many.
pub struct Limiter {
    ticks: Ticks,
    apps: Apps,
    profiles: Profiles,
}

impl Limiter {
    /// With the quotas that apps have in that store. They are read again `reread_every` so
    /// often, if the app or its users call.
    #[must_use]
    pub fn over(store: Arc<dyn MailStore>, reread_every: Duration) -> Arc<Self> {
        Self::new(Apps::in_store(store, reread_every))
    }

    /// With the same quotas for every app: for a listener without a store.
    #[must_use]
    pub fn fixed(quotas: Quotas) -> Arc<Self> {
        Self::new(Apps::fixed(quotas))
    }

    fn new(apps: Apps) -> Arc<Self> {
        Arc::new(Self {
            ticks: Ticks::new(),
            apps,
            profiles: Profiles::new(),
        })
    }

    /// Puts the quotas of that version of an app's settings in force.
    pub fn change(&self, app: &AppId, version: i64, quotas: Quotas) {
        self.apps.change(app, version, quotas);
    }

    /// A user calls, and may send by that.
    ///
    /// # Errors
    /// How long to wait, if that is too often.
    pub(crate) fn user(&self, user: &User, sends: bool) -> Result<(), Duration> {
        let app = self.apps.get(user.app());
        let quotas = app.quotas();
        let profile = self.profiles.get(user);
        // Locked in this order only: the profile's buckets, then the app's.
        let profile = &mut *profile.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = profile.calls.at(quotas.profile_calls, &self.ticks);
        if !sends {
            return take_each(&[calls]);
        }
        let sends = profile.sends.at(quotas.profile_sends, &self.ticks);
        self.with_app_sends(&app, quotas, |app_sends| {
            take_each(&[calls, sends, app_sends])
        })
    }

    /// The app itself sends.
    ///
    /// # Errors
    /// How long to wait, if that is too often.
    pub(crate) fn system(&self, system: &System) -> Result<(), Duration> {
        let app = self.apps.get(system.app());
        let quotas = app.quotas();
        self.with_app_sends(&app, quotas, |app_sends| take_each(&[app_sends]))
    }

    fn with_app_sends<T>(
        &self,
        app: &App,
        quotas: Quotas,
        then: impl FnOnce(Option<&Bucket>) -> T,
    ) -> T {
        if quotas.app_sends.per_second == 0 {
            return then(None);
        }
        let mut sends = app.sends.lock().unwrap_or_else(PoisonError::into_inner);
        then(sends.at(quotas.app_sends, &self.ticks))
    }
}

#[cfg(test)]
mod tests;
