//! Times and durations; the domain's are in milliseconds.

use domain::{Millis, Violations, expiry};
use prost_types::{Duration, Timestamp};

const NANOS_PER_MS: u32 = 1_000_000;
const NANOS_PER_SECOND: u32 = 1_000_000_000;
/// Seconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Returns a time for a response.
#[must_use]
pub fn timestamp(at: Millis) -> Timestamp {
    let (seconds, nanos) = split(at.0);
    Timestamp { seconds, nanos }
}

/// Returns a duration for a response.
#[must_use]
pub fn duration(duration_ms: i64) -> Duration {
    let (seconds, nanos) = split(duration_ms);
    Duration { seconds, nanos }
}

fn split(ms: i64) -> (i64, i32) {
    let nanos = ms.rem_euclid(1000) * i64::from(NANOS_PER_MS);
    (ms.div_euclid(1000), i32::try_from(nanos).unwrap_or(0))
}

/// Parses a lower bound, exclusive. A time later than it in nanoseconds is later than the result
/// in milliseconds.
pub fn after(time: Option<Timestamp>, field: &str, violations: &mut Violations) -> Option<Millis> {
    let (seconds_ms, nanos) = checked(time?, field, violations)?;
    Some(Millis(seconds_ms + i64::from(nanos / NANOS_PER_MS)))
}

/// Parses an upper bound, exclusive. A time earlier than it in nanoseconds is earlier than the
/// result in milliseconds.
pub fn before(time: Option<Timestamp>, field: &str, violations: &mut Violations) -> Option<Millis> {
    let (seconds_ms, nanos) = checked(time?, field, violations)?;
    Some(Millis(seconds_ms + i64::from(nanos.div_ceil(NANOS_PER_MS))))
}

fn checked(time: Timestamp, field: &str, violations: &mut Violations) -> Option<(i64, u32)> {
    let nanos = nanos_of_second(time.nanos);
    if nanos.is_none() || !TIMESTAMP_SECONDS.contains(&time.seconds) {
        violations.invalid(field, "must be a time from the year 1 to the year 9999");
        return None;
    }
    Some((time.seconds * 1000, nanos?))
}

/// Parses the lifetime of a message, in milliseconds, rounded up; none if absent.
pub fn lifetime_ms(
    duration: Option<Duration>,
    field: &str,
    violations: &mut Violations,
) -> Option<i64> {
    let lifetime = rounded_up(duration?).filter(|&ms| expiry::is_lifetime(ms));
    if lifetime.is_none() {
        violations.invalid(field, "must be more than 0 and at most 10 years");
    }
    lifetime
}

/// Parses a duration in milliseconds, rounded up; none if absent. It may be beyond any bound.
pub fn duration_ms(
    duration: Option<Duration>,
    field: &str,
    violations: &mut Violations,
) -> Option<i64> {
    let ms = rounded_up(duration?);
    if ms.is_none() {
        violations.invalid(field, "must be a duration");
    }
    ms
}

fn rounded_up(duration: Duration) -> Option<i64> {
    let nanos = nanos_of_second(duration.nanos)?;
    let ms = duration.seconds.checked_mul(1000)?;
    ms.checked_add(i64::from(nanos.div_ceil(NANOS_PER_MS)))
}

fn nanos_of_second(nanos: i32) -> Option<u32> {
    u32::try_from(nanos)
        .ok()
        .filter(|&nanos| nanos < NANOS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use domain::limits::EXPIRY_MAX_MS;

    use super::*;

    const fn at(seconds: i64, nanos: i32) -> Timestamp {
        Timestamp { seconds, nanos }
    }

    const fn lasting(seconds: i64, nanos: i32) -> Duration {
        Duration { seconds, nanos }
    }

    #[test]
    fn milliseconds_survive_a_round_trip() {
        for ms in [0, 1, 999, 1_700_000_000_123, -1, -1000] {
            let mut violations = Violations::none();
            let read = after(Some(timestamp(Millis(ms))), "t", &mut violations);
            assert_eq!(read, Some(Millis(ms)));
        }
    }

    #[test]
    fn bounds_between_milliseconds_round_outwards() {
        let mut violations = Violations::none();
        let between = Some(at(1, 1));
        assert_eq!(after(between, "t", &mut violations), Some(Millis(1000)));
        assert_eq!(before(between, "t", &mut violations), Some(Millis(1001)));
    }

    #[test]
    fn times_out_of_range_are_violations() {
        let mut violations = Violations::none();
        for time in [
            at(0, -1),
            at(0, 1_000_000_000),
            at(253_402_300_800, 0),
            at(-62_135_596_801, 0),
            at(i64::MAX, 0),
        ] {
            assert_eq!(after(Some(time), "t", &mut violations), None);
        }
        assert_eq!(violations.as_slice().len(), 5);
    }

    #[test]
    fn a_lifetime_is_more_than_nothing_and_at_most_ten_years() {
        let mut violations = Violations::none();
        let mut parse = |duration| lifetime_ms(duration, "expire_after", &mut violations);
        assert_eq!(parse(None), None);
        assert_eq!(parse(Some(lasting(0, 1))), Some(1));
        assert_eq!(parse(Some(lasting(1, 500_000_000))), Some(1500));
        assert_eq!(parse(Some(duration(EXPIRY_MAX_MS))), Some(EXPIRY_MAX_MS));
        let bad = [
            lasting(0, 0),
            lasting(-1, 0),
            lasting(1, -1),
            lasting(0, i32::MAX),
            lasting(i64::MAX, 0),
            lasting(EXPIRY_MAX_MS / 1000, 1),
        ];
        for duration in bad {
            assert_eq!(parse(Some(duration)), None, "{duration:?}");
        }
        assert_eq!(violations.as_slice().len(), bad.len());
    }
}
