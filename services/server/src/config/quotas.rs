//! Quotas of apps that have not set their own.

use domain::limits::{
    APP_KEPT_MIB_MAX, APP_MAILBOXES_MAX, PROFILE_KEPT_MIB_MAX, PROFILE_UNUSED_MAILBOXES_MAX,
    QUOTA_BURST_MAX, QUOTA_PER_SECOND_MAX,
};
use domain::{QuotaOverrides, Quotas, Rate, RateOverride};
use serde::Deserialize;

use super::Bounded;

/// Sustained rate, per second; 0 means no limit.
type PerSecond = Bounded<0, QUOTA_PER_SECOND_MAX>;
/// Burst: number of calls or sends at once after a pause.
type Burst = Bounded<1, QUOTA_BURST_MAX>;

/// Defaults of [`Quotas`]; `UpdateAppSettings` overrides them for an app. Each replica counts on
/// its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaDefaults {
    /// Calls of a profile per second. Default 200.
    pub profile_calls_per_second: PerSecond,
    /// Burst of a profile's calls. Default 1000.
    pub profile_calls_burst: Burst,
    /// Sends of a profile per second. Default 50.
    pub profile_sends_per_second: PerSecond,
    /// Burst of a profile's sends. Default 250.
    pub profile_sends_burst: Burst,
    /// Sends of an app and all its profiles per second. Default 0: no limit.
    pub app_sends_per_second: PerSecond,
    /// Burst of an app's sends. Default 1000.
    pub app_sends_burst: Burst,
    /// Calls of `Sys` by an app per second. Default 1000.
    pub app_calls_per_second: PerSecond,
    /// Burst of an app's calls of `Sys`. Default 5000.
    pub app_calls_burst: Burst,
    /// MiB of contents that a profile has sent and that are kept; 0 means no limit. Default 100.
    pub profile_kept_mib: Bounded<0, PROFILE_KEPT_MIB_MAX>,
    /// Mailboxes that messages of a profile have created and that nobody has used; 0 means no limit.
    /// Default 1000.
    pub profile_unused_mailboxes: Bounded<0, PROFILE_UNUSED_MAILBOXES_MAX>,
    /// MiB of contents that are kept of an app; 0 means no limit. Default 0.
    pub app_kept_mib: Bounded<0, APP_KEPT_MIB_MAX>,
    /// Mailboxes of an app; 0 means no limit. Default 0.
    pub app_mailboxes: Bounded<0, APP_MAILBOXES_MAX>,
    /// Ceiling of what apps set. Default: none.
    pub max: QuotaMax,
}

/// Ceiling of a rate, per second.
type PerSecondMax = Bounded<1, QUOTA_PER_SECOND_MAX>;

/// Ceiling of the quotas in force, whatever the settings of an app say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaMax {
    /// Ceiling of [`QuotaDefaults::profile_calls_per_second`].
    pub profile_calls_per_second: Option<PerSecondMax>,
    /// Ceiling of [`QuotaDefaults::profile_calls_burst`].
    pub profile_calls_burst: Option<Burst>,
    /// Ceiling of [`QuotaDefaults::profile_sends_per_second`].
    pub profile_sends_per_second: Option<PerSecondMax>,
    /// Ceiling of [`QuotaDefaults::profile_sends_burst`].
    pub profile_sends_burst: Option<Burst>,
    /// Ceiling of [`QuotaDefaults::app_sends_per_second`].
    pub app_sends_per_second: Option<PerSecondMax>,
    /// Ceiling of [`QuotaDefaults::app_sends_burst`].
    pub app_sends_burst: Option<Burst>,
    /// Ceiling of [`QuotaDefaults::app_calls_per_second`].
    pub app_calls_per_second: Option<PerSecondMax>,
    /// Ceiling of [`QuotaDefaults::app_calls_burst`].
    pub app_calls_burst: Option<Burst>,
    /// Ceiling of [`QuotaDefaults::profile_kept_mib`].
    pub profile_kept_mib: Option<Bounded<1, PROFILE_KEPT_MIB_MAX>>,
    /// Ceiling of [`QuotaDefaults::profile_unused_mailboxes`].
    pub profile_unused_mailboxes: Option<Bounded<1, PROFILE_UNUSED_MAILBOXES_MAX>>,
    /// Ceiling of [`QuotaDefaults::app_kept_mib`].
    pub app_kept_mib: Option<Bounded<1, APP_KEPT_MIB_MAX>>,
    /// Ceiling of [`QuotaDefaults::app_mailboxes`].
    pub app_mailboxes: Option<Bounded<1, APP_MAILBOXES_MAX>>,
}

impl Default for QuotaDefaults {
    fn default() -> Self {
        Self {
            profile_calls_per_second: Bounded::new::<200>(),
            profile_calls_burst: Bounded::new::<1_000>(),
            profile_sends_per_second: Bounded::new::<50>(),
            profile_sends_burst: Bounded::new::<250>(),
            app_sends_per_second: Bounded::new::<0>(),
            app_sends_burst: Bounded::new::<1_000>(),
            app_calls_per_second: Bounded::new::<1_000>(),
            app_calls_burst: Bounded::new::<5_000>(),
            profile_kept_mib: Bounded::new::<100>(),
            profile_unused_mailboxes: Bounded::new::<1_000>(),
            app_kept_mib: Bounded::new::<0>(),
            app_mailboxes: Bounded::new::<0>(),
            max: QuotaMax::default(),
        }
    }
}

impl QuotaDefaults {
    pub const fn to_quotas(&self) -> Quotas {
        Quotas {
            profile_calls: rate(self.profile_calls_per_second, self.profile_calls_burst),
            profile_sends: rate(self.profile_sends_per_second, self.profile_sends_burst),
            app_sends: rate(self.app_sends_per_second, self.app_sends_burst),
            app_calls: rate(self.app_calls_per_second, self.app_calls_burst),
            profile_kept_mib: self.profile_kept_mib.get(),
            profile_unused_mailboxes: self.profile_unused_mailboxes.get(),
            app_kept_mib: self.app_kept_mib.get(),
            app_mailboxes: self.app_mailboxes.get(),
        }
    }
}

impl QuotaMax {
    pub fn to_ceiling(&self) -> QuotaOverrides {
        QuotaOverrides {
            profile_calls: ceiling(self.profile_calls_per_second, self.profile_calls_burst),
            profile_sends: ceiling(self.profile_sends_per_second, self.profile_sends_burst),
            app_sends: ceiling(self.app_sends_per_second, self.app_sends_burst),
            app_calls: ceiling(self.app_calls_per_second, self.app_calls_burst),
            profile_kept_mib: self.profile_kept_mib.map(Bounded::get),
            profile_unused_mailboxes: self.profile_unused_mailboxes.map(Bounded::get),
            app_kept_mib: self.app_kept_mib.map(Bounded::get),
            app_mailboxes: self.app_mailboxes.map(Bounded::get),
        }
    }
}

fn ceiling(per_second: Option<PerSecondMax>, burst: Option<Burst>) -> RateOverride {
    RateOverride {
        per_second: per_second.map(Bounded::get),
        burst: burst.map(Bounded::get),
    }
}

const fn rate(per_second: PerSecond, burst: Burst) -> Rate {
    Rate {
        per_second: per_second.get(),
        burst: burst.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_quotas_equal_those_of_the_domain() {
        assert_eq!(QuotaDefaults::default().to_quotas(), Quotas::default());
    }

    #[test]
    fn each_key_of_the_ceiling_is_that_of_its_quota() {
        let max = QuotaMax {
            profile_calls_per_second: Some(Bounded::new::<1>()),
            profile_calls_burst: Some(Bounded::new::<2>()),
            profile_sends_per_second: Some(Bounded::new::<3>()),
            profile_sends_burst: Some(Bounded::new::<4>()),
            app_sends_per_second: Some(Bounded::new::<5>()),
            app_sends_burst: Some(Bounded::new::<6>()),
            app_calls_per_second: Some(Bounded::new::<7>()),
            app_calls_burst: Some(Bounded::new::<8>()),
            profile_kept_mib: Some(Bounded::new::<9>()),
            profile_unused_mailboxes: Some(Bounded::new::<10>()),
            app_kept_mib: Some(Bounded::new::<11>()),
            app_mailboxes: Some(Bounded::new::<12>()),
        };
        let rate = |per_second, burst| RateOverride {
            per_second: Some(per_second),
            burst: Some(burst),
        };
        let ceiling = QuotaOverrides {
            profile_calls: rate(1, 2),
            profile_sends: rate(3, 4),
            app_sends: rate(5, 6),
            app_calls: rate(7, 8),
            profile_kept_mib: Some(9),
            profile_unused_mailboxes: Some(10),
            app_kept_mib: Some(11),
            app_mailboxes: Some(12),
        };
        assert_eq!(max.to_ceiling(), ceiling);
        assert_eq!(QuotaMax::default().to_ceiling(), QuotaOverrides::default());
    }
}
