//! Lifetimes and expiry of messages.

use crate::limits::{DAY_MS, EXPIRY_MAX_MS, HOUR_MS, MINUTE_MS};
use crate::time::Millis;

/// Returns true for a permitted lifetime: more than zero, at most ten years.
#[must_use]
pub const fn is_lifetime(duration_ms: i64) -> bool {
    0 < duration_ms && duration_ms <= EXPIRY_MAX_MS
}

/// The time at which what was sent at `send_ms` vanishes: rounded up to a full minute
/// beyond an hour, and to a full hour beyond a day, so that whole mailboxes fall due
/// together.
#[must_use]
pub const fn expire_ms(send_ms: Millis, lifetime_ms: i64) -> Millis {
    let exact = send_ms.after(lifetime_ms).0;
    let step = match lifetime_ms {
        DAY_MS.. => HOUR_MS,
        HOUR_MS.. => MINUTE_MS,
        _ => 1,
    };
    let beyond = exact.rem_euclid(step);
    Millis(if beyond == 0 {
        exact
    } else {
        exact + step - beyond
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lives_end_to_the_millisecond_and_long_ones_on_the_hour() {
        let sent = Millis(1_700_000_000_123);
        assert_eq!(expire_ms(sent, 5_000), Millis(1_700_000_005_123));
        let hours = expire_ms(sent, 2 * HOUR_MS).0;
        assert!(hours % MINUTE_MS == 0 && (0..MINUTE_MS).contains(&(hours - sent.0 - 2 * HOUR_MS)));
        let days = expire_ms(sent, 30 * DAY_MS).0;
        assert!(days % HOUR_MS == 0 && (0..HOUR_MS).contains(&(days - sent.0 - 30 * DAY_MS)));
    }

    #[test]
    fn a_message_lives_more_than_nothing_and_at_most_ten_years() {
        assert!(!is_lifetime(0) && !is_lifetime(-1) && !is_lifetime(EXPIRY_MAX_MS + 1));
        assert!(is_lifetime(1) && is_lifetime(EXPIRY_MAX_MS));
    }
}
