//! Lifetimes as text, such as `30d`.

use std::str::FromStr;

use domain::expiry;
use jiff::{Span, SpanRelativeTo};
use serde::Deserialize;

/// Whole seconds, 1 second to 10 years, written as `30d`, `12h` or `1h 30m`. A day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Lifetime {
    seconds: i64,
}

/// Error for a text that is not a lifetime.
#[derive(Debug, thiserror::Error)]
#[error("is not a duration such as \"30d\" or \"12h\", 1 second to 10 years")]
pub struct NotALifetime;

impl Lifetime {
    pub const fn from_days(days: u16) -> Self {
        Self {
            seconds: days as i64 * 24 * 60 * 60,
        }
    }

    pub const fn ms(self) -> i64 {
        self.seconds * 1000
    }

    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    pub const fn to_proto(self) -> prost_types::Duration {
        prost_types::Duration {
            seconds: self.seconds,
            nanos: 0,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        let lifetime = Self {
            seconds: duration.as_secs(),
        };
        let is_whole = duration.subsec_nanos() == 0;
        (is_whole && expiry::is_lifetime(lifetime.ms())).then_some(lifetime)
    }
}

impl FromStr for Lifetime {
    type Err = NotALifetime;

    fn from_str(text: &str) -> Result<Self, NotALifetime> {
        Self::parse(text).ok_or(NotALifetime)
    }
}

impl TryFrom<String> for Lifetime {
    type Error = NotALifetime;

    fn try_from(text: String) -> Result<Self, NotALifetime> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_has_one_or_several_units() {
        for (text, seconds) in [
            ("30d", 2_592_000),
            ("90s", 90),
            ("1h 30m", 5_400),
            ("2 days", 172_800),
        ] {
            assert_eq!(
                text.parse::<Lifetime>().expect(text).seconds(),
                seconds,
                "{text}"
            );
        }
    }

    #[test]
    fn a_lifetime_outside_its_bounds_is_refused() {
        for text in ["", "0s", "1500ms", "-1d", "soon", "30", "4000d"] {
            assert!(text.parse::<Lifetime>().is_err(), "{text}");
        }
    }
}
