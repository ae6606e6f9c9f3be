//! Quotas of calls and sends: the service's defaults, and the app's overrides.
//!
//! A quota is a token bucket: it holds `burst` tokens, and is refilled by `per_second`. Calls
//! take tokens where they are served; the numbers are here.

use serde::{Deserialize, Serialize};

use crate::limits::{
    APP_CALLS_DEFAULT, APP_KEPT_MIB_DEFAULT, APP_KEPT_MIB_MAX, APP_MAILBOXES_DEFAULT,
    APP_MAILBOXES_MAX, APP_SENDS_DEFAULT, PROFILE_CALLS_DEFAULT, PROFILE_KEPT_MIB_DEFAULT,
    PROFILE_KEPT_MIB_MAX, PROFILE_SENDS_DEFAULT, PROFILE_UNUSED_MAILBOXES_DEFAULT,
    PROFILE_UNUSED_MAILBOXES_MAX, QUOTA_BURST_MAX, QUOTA_PER_SECOND_MAX,
};
use crate::rate::Rate;
use crate::violation::Violations;

/// The quotas in force for an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Calls of one profile.
    pub profile_calls: Rate,
    /// Messages that one profile sends.
    pub profile_sends: Rate,
    /// Messages that the app and all its profiles send together.
    pub app_sends: Rate,
    /// Calls of the app itself.
    pub app_calls: Rate,
    /// MiB of contents that one profile has sent and that are kept; 0: no limit.
    pub profile_kept_mib: u32,
    /// Mailboxes that messages of one profile have created and that their owners have not used; 0: no
    /// limit.
    pub profile_unused_mailboxes: u32,
    /// MiB of contents that are kept of the app, whoever has sent them; 0: no limit.
    pub app_kept_mib: u32,
    /// Mailboxes of the app; 0: no limit.
    pub app_mailboxes: u32,
}

/// Quota of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptQuota {
    /// [`Quotas::profile_kept_mib`].
    ProfileKeptMib,
    /// [`Quotas::profile_unused_mailboxes`].
    ProfileUnusedMailboxes,
    /// [`Quotas::app_kept_mib`].
    AppKeptMib,
    /// [`Quotas::app_mailboxes`].
    AppMailboxes,
}

impl KeptQuota {
    /// All quotas.
    pub const ALL: [Self; 4] = [
        Self::ProfileKeptMib,
        Self::ProfileUnusedMailboxes,
        Self::AppKeptMib,
        Self::AppMailboxes,
    ];

    /// Name in the settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProfileKeptMib => "profile_kept_mib",
            Self::ProfileUnusedMailboxes => "profile_unused_mailboxes",
            Self::AppKeptMib => "app_kept_mib",
            Self::AppMailboxes => "app_mailboxes",
        }
    }
}

impl Quotas {
    /// No limit for anything.
    pub const NO_LIMITS: Self = Self {
        profile_calls: Rate::NO_LIMIT,
        profile_sends: Rate::NO_LIMIT,
        app_sends: Rate::NO_LIMIT,
        app_calls: Rate::NO_LIMIT,
        profile_kept_mib: 0,
        profile_unused_mailboxes: 0,
        app_kept_mib: 0,
        app_mailboxes: 0,
    };

    /// Returns whether a profile may keep so many bytes of contents.
    #[must_use]
    pub fn may_keep(&self, bytes: i64) -> bool {
        are_within_mib(bytes, self.profile_kept_mib)
    }

    /// Returns whether so many bytes of contents of the app may be kept.
    #[must_use]
    pub fn app_may_keep(&self, bytes: i64) -> bool {
        are_within_mib(bytes, self.app_kept_mib)
    }

    /// Returns whether the app may have so many mailboxes.
    #[must_use]
    pub fn app_may_have(&self, mailboxes: i64) -> bool {
        self.app_mailboxes == 0 || mailboxes <= i64::from(self.app_mailboxes)
    }

    /// Returns whether there is a quota of what is kept of the app.
    #[must_use]
    pub const fn has_app_limits(&self) -> bool {
        self.app_kept_mib > 0 || self.app_mailboxes > 0
    }

    /// Returns whether messages of a profile may have created so many unused mailboxes.
    #[must_use]
    pub fn may_create(&self, mailboxes: i64) -> bool {
        let max = i64::from(self.profile_unused_mailboxes);
        max == 0 || mailboxes <= max
    }

    /// Returns the lesser of these quotas and of a ceiling.
    #[must_use]
    pub fn at_most(&self, ceiling: &QuotaOverrides) -> Self {
        Self {
            profile_calls: ceiling.profile_calls.bound(self.profile_calls),
            profile_sends: ceiling.profile_sends.bound(self.profile_sends),
            app_sends: ceiling.app_sends.bound(self.app_sends),
            app_calls: ceiling.app_calls.bound(self.app_calls),
            profile_kept_mib: lesser_limit(self.profile_kept_mib, ceiling.profile_kept_mib),
            profile_unused_mailboxes: lesser_limit(
                self.profile_unused_mailboxes,
                ceiling.profile_unused_mailboxes,
            ),
            app_kept_mib: lesser_limit(self.app_kept_mib, ceiling.app_kept_mib),
            app_mailboxes: lesser_limit(self.app_mailboxes, ceiling.app_mailboxes),
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            profile_calls: PROFILE_CALLS_DEFAULT,
            profile_sends: PROFILE_SENDS_DEFAULT,
            app_sends: APP_SENDS_DEFAULT,
            app_calls: APP_CALLS_DEFAULT,
            profile_kept_mib: PROFILE_KEPT_MIB_DEFAULT,
            profile_unused_mailboxes: PROFILE_UNUSED_MAILBOXES_DEFAULT,
            app_kept_mib: APP_KEPT_MIB_DEFAULT,
            app_mailboxes: APP_MAILBOXES_DEFAULT,
        }
    }
}

/// Overrides of a [`Rate`]. Absent: the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateOverride {
    /// See [`Rate::per_second`].
    pub per_second: Option<u32>,
    /// See [`Rate::burst`].
    pub burst: Option<u32>,
}

impl RateOverride {
    fn check(self, field: &str, violations: &mut Violations) {
        if self
            .per_second
            .is_some_and(|rate| rate > QUOTA_PER_SECOND_MAX)
        {
            violations.invalid(
                format!("{field}_per_second"),
                format!("must be 0 to {QUOTA_PER_SECOND_MAX}"),
            );
        }
        let bursts = 1..=QUOTA_BURST_MAX;
        if self.burst.is_some_and(|burst| !bursts.contains(&burst)) {
            violations.invalid(
                format!("{field}_burst"),
                format!("must be 1 to {QUOTA_BURST_MAX}"),
            );
        }
    }

    /// Returns the lesser of a rate and of this one as its ceiling. No limit is more than any.
    fn bound(self, rate: Rate) -> Rate {
        Rate {
            per_second: lesser_limit(rate.per_second, self.per_second),
            burst: rate.burst.min(self.burst.unwrap_or(rate.burst)),
        }
    }

    fn over(self, default: Rate) -> Rate {
        Rate {
            per_second: self.per_second.unwrap_or(default.per_second),
            burst: self.burst.unwrap_or(default.burst),
        }
    }
}

/// Returns whether bytes are within a number of MiB; 0: no limit.
fn are_within_mib(bytes: i64, mib: u32) -> bool {
    mib == 0 || bytes <= i64::from(mib) * 1024 * 1024
}

/// Returns the lesser of a limit and of its ceiling, if there is one. In both, 0 means no limit.
#[must_use]
pub fn lesser_limit(limit: u32, ceiling: Option<u32>) -> u32 {
    match (limit, ceiling) {
        (limit, None | Some(0)) => limit,
        (0, Some(ceiling)) => ceiling,
        (limit, Some(ceiling)) => limit.min(ceiling),
    }
}

/// Overrides of an app's [`Quotas`], or a ceiling of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaOverrides {
    /// See [`Quotas::profile_calls`].
    pub profile_calls: RateOverride,
    /// See [`Quotas::profile_sends`].
    pub profile_sends: RateOverride,
    /// See [`Quotas::app_sends`].
    pub app_sends: RateOverride,
    /// See [`Quotas::app_calls`].
    pub app_calls: RateOverride,
    /// See [`Quotas::profile_kept_mib`].
    pub profile_kept_mib: Option<u32>,
    /// See [`Quotas::profile_unused_mailboxes`].
    pub profile_unused_mailboxes: Option<u32>,
    /// See [`Quotas::app_kept_mib`].
    pub app_kept_mib: Option<u32>,
    /// See [`Quotas::app_mailboxes`].
    pub app_mailboxes: Option<u32>,
}

impl QuotaOverrides {
    /// Collects what is outside the caps; `field` is the settings' path in the request.
    pub fn check(&self, field: &str, violations: &mut Violations) {
        for (rate, name) in [
            (self.profile_calls, "profile_calls"),
            (self.profile_sends, "profile_sends"),
            (self.app_sends, "app_sends"),
            (self.app_calls, "app_calls"),
        ] {
            rate.check(&format!("{field}.{name}"), violations);
        }
        for (number, max, name) in [
            (
                self.profile_kept_mib,
                PROFILE_KEPT_MIB_MAX,
                "profile_kept_mib",
            ),
            (
                self.profile_unused_mailboxes,
                PROFILE_UNUSED_MAILBOXES_MAX,
                "profile_unused_mailboxes",
            ),
            (self.app_kept_mib, APP_KEPT_MIB_MAX, "app_kept_mib"),
            (self.app_mailboxes, APP_MAILBOXES_MAX, "app_mailboxes"),
        ] {
            if number.is_some_and(|number| number > max) {
                violations.invalid(format!("{field}.{name}"), format!("must be 0 to {max}"));
            }
        }
    }

    /// The quotas in force where these override those defaults.
    #[must_use]
    pub fn over(&self, defaults: &Quotas) -> Quotas {
        Quotas {
            profile_calls: self.profile_calls.over(defaults.profile_calls),
            profile_sends: self.profile_sends.over(defaults.profile_sends),
            app_sends: self.app_sends.over(defaults.app_sends),
            app_calls: self.app_calls.over(defaults.app_calls),
            profile_kept_mib: self.profile_kept_mib.unwrap_or(defaults.profile_kept_mib),
            profile_unused_mailboxes: self
                .profile_unused_mailboxes
                .unwrap_or(defaults.profile_unused_mailboxes),
            app_kept_mib: self.app_kept_mib.unwrap_or(defaults.app_kept_mib),
            app_mailboxes: self.app_mailboxes.unwrap_or(defaults.app_mailboxes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rate(per_second: Option<u32>, burst: Option<u32>) -> RateOverride {
        RateOverride { per_second, burst }
    }

    #[test]
    fn each_number_overrides_its_own_default() {
        let overrides = QuotaOverrides {
            profile_calls: rate(Some(0), None),
            profile_sends: rate(None, Some(3)),
            ..QuotaOverrides::default()
        };
        let defaults = Quotas::default();
        let expected = Quotas {
            profile_calls: Rate {
                per_second: 0,
                ..defaults.profile_calls
            },
            profile_sends: Rate {
                burst: 3,
                ..defaults.profile_sends
            },
            ..defaults
        };
        assert_eq!(overrides.over(&defaults), expected);
    }

    #[test]
    fn the_lesser_of_a_quota_and_its_ceiling_is_in_force() {
        let quotas = Quotas {
            profile_calls: Rate::NO_LIMIT,
            profile_sends: Rate {
                per_second: 5,
                burst: 50,
            },
            ..Quotas::default()
        };
        let ceiling = QuotaOverrides {
            profile_calls: rate(Some(7), None),
            profile_sends: rate(Some(9), Some(20)),
            ..QuotaOverrides::default()
        };
        let bounded = quotas.at_most(&ceiling);
        assert_eq!(bounded.profile_calls.per_second, 7);
        assert_eq!(bounded.profile_calls.burst, Rate::NO_LIMIT.burst);
        let sends = bounded.profile_sends;
        assert_eq!((sends.per_second, sends.burst), (5, 20));
        assert_eq!(bounded.app_sends, quotas.app_sends);
        assert_eq!(quotas.at_most(&QuotaOverrides::default()), quotas);
    }

    #[test]
    fn no_quota_exceeds_its_own_ceiling() {
        let ceiling = QuotaOverrides {
            profile_calls: rate(Some(1), Some(2)),
            profile_sends: rate(Some(3), Some(4)),
            app_sends: rate(Some(5), Some(6)),
            app_calls: rate(Some(7), Some(8)),
            profile_kept_mib: Some(9),
            profile_unused_mailboxes: Some(10),
            app_kept_mib: Some(11),
            app_mailboxes: Some(12),
        };
        let most = ceiling.over(&Quotas::NO_LIMITS);
        let more = QuotaOverrides {
            profile_calls: rate(Some(11), Some(12)),
            profile_sends: rate(Some(13), Some(14)),
            app_sends: rate(Some(15), Some(16)),
            app_calls: rate(Some(17), Some(18)),
            profile_kept_mib: Some(19),
            profile_unused_mailboxes: Some(20),
            app_kept_mib: Some(21),
            app_mailboxes: Some(22),
        };
        assert_eq!(more.over(&Quotas::NO_LIMITS).at_most(&ceiling), most);
        assert_eq!(most.at_most(&more), most);
    }

    #[test]
    fn every_value_outside_its_cap_is_named() {
        let (over, under) = (rate(Some(1_000_001), Some(1_000_001)), rate(None, Some(0)));
        let at_the_caps = rate(Some(1_000_000), Some(1_000_000));
        let overrides = QuotaOverrides {
            profile_calls: over,
            profile_sends: at_the_caps,
            app_sends: under,
            ..QuotaOverrides::default()
        };
        let mut violations = Violations::none();
        overrides.check("settings", &mut violations);
        let fields: Vec<&str> = violations
            .as_slice()
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "settings.profile_calls_per_second",
                "settings.profile_calls_burst",
                "settings.app_sends_burst"
            ]
        );
    }
}
