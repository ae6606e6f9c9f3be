//! How often callers of apps that have not set their own quotas may call and send.

use domain::limits::{QUOTA_BURST_MAX, QUOTA_PER_SECOND_MAX};
use domain::{Quotas, Rate};
use serde::Deserialize;

use super::Bounded;

/// Calls or sends in a second, for as long as it goes on; 0: as many as one likes.
type PerSecond = Bounded<0, QUOTA_PER_SECOND_MAX>;
/// Calls or sends at once, after a rest.
type Burst = Bounded<1, QUOTA_BURST_MAX>;

/// The defaults of [`Quotas`]; `UpdateAppSettings` overrides them for an app. Each replica
/// counts for itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaDefaults {
    /// Calls of one profile.
    pub profile_calls_per_second: PerSecond,
    /// The same, at once.
    pub profile_calls_burst: Burst,
    /// Messages that one profile sends.
    pub profile_sends_per_second: PerSecond,
    /// The same, at once.
    pub profile_sends_burst: Burst,
    /// Messages that an app and all its profiles send together.
    pub app_sends_per_second: PerSecond,
    /// The same, at once.
    pub app_sends_burst: Burst,
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
        }
    }
}

impl QuotaDefaults {
    pub const fn to_quotas(&self) -> Quotas {
        Quotas {
            profile_calls: rate(self.profile_calls_per_second, self.profile_calls_burst),
            profile_sends: rate(self.profile_sends_per_second, self.profile_sends_burst),
            app_sends: rate(self.app_sends_per_second, self.app_sends_burst),
        }
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
    fn the_defaults_are_the_domains() {
        assert_eq!(QuotaDefaults::default().to_quotas(), Quotas::default());
    }
}
