//! Times for which something is kept, as text, such as `30d`.

use domain::limits::KEEP_FOR_MODERATION_MAX_MS;
use jiff::{Span, SpanRelativeTo};
use serde::Deserialize;

/// Whole seconds, 0 to 365 days, written as `0s`, `12h` or `30d`. A day has 24 hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct KeepTime {
    ms: i64,
}

/// Error for a text that is not such a time.
#[derive(Debug, thiserror::Error)]
#[error("is not a duration such as \"0s\" or \"30d\", 0 seconds to 365 days")]
pub struct NotAKeepTime;

impl KeepTime {
    pub const fn ms(self) -> i64 {
        self.ms
    }

    fn parse(text: &str) -> Option<Self> {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        let ms = duration.as_secs().checked_mul(1000)?;
        let is_whole = duration.subsec_nanos() == 0;
        let is_in_bounds = (0..=KEEP_FOR_MODERATION_MAX_MS).contains(&ms);
        (is_whole && is_in_bounds).then_some(Self { ms })
    }
}

impl TryFrom<String> for KeepTime {
    type Error = NotAKeepTime;

    fn try_from(text: String) -> Result<Self, NotAKeepTime> {
        Self::parse(&text).ok_or(NotAKeepTime)
    }
}

#[cfg(test)]
mod tests {
    use domain::limits::DAY_MS;

    use super::*;

    #[test]
    fn a_keep_time_is_nothing_to_a_year() {
        let parse = |text| KeepTime::parse(text).map(KeepTime::ms);
        assert_eq!(parse("0s"), Some(0));
        assert_eq!(parse("1h 30m"), Some(5_400_000));
        assert_eq!(parse("365d"), Some(365 * DAY_MS));
        for text in ["", "-1s", "1500ms", "soon", "30", "8761h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
