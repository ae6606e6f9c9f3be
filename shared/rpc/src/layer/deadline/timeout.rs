//! The `grpc-timeout` header, which tonic ignores if it is malformed.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// Maximum number of digits, by the specification.
const DIGITS_MAX: usize = 8;

/// Violation of the header's specification.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Parses the requested timeout, if there is one.
pub(super) fn requested(headers: &HeaderMap) -> Result<Option<Duration>, Malformed> {
    let mut values = headers.get_all(TIMEOUT).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => parse(value.as_bytes()).map(Some),
        (Some(_), Some(_)) => Err(Malformed),
    }
}

/// Parses one to eight digits and a unit.
fn parse(text: &[u8]) -> Result<Duration, Malformed> {
    let (unit, digits) = text.split_last().ok_or(Malformed)?;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Ok(Duration::from_secs(number * 3600)),
        b'M' => Ok(Duration::from_secs(number * 60)),
        b'S' => Ok(Duration::from_secs(number)),
        b'm' => Ok(Duration::from_millis(number)),
        b'u' => Ok(Duration::from_micros(number)),
        b'n' => Ok(Duration::from_nanos(number)),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_up_to_eight_digits_and_a_unit() {
        let cases = [
            ("2H", Duration::from_hours(2)),
            ("3M", Duration::from_mins(3)),
            ("5S", Duration::from_secs(5)),
            ("250m", Duration::from_millis(250)),
            ("7u", Duration::from_micros(7)),
            ("9n", Duration::from_nanos(9)),
            ("0S", Duration::ZERO),
            ("00000001S", Duration::from_secs(1)),
            ("99999999H", Duration::from_hours(99_999_999)),
        ];
        for (text, duration) in cases {
            assert_eq!(parse(text.as_bytes()), Ok(duration), "{text}");
        }
    }

    #[test]
    fn other_texts_are_malformed() {
        for text in [
            "",
            "S",
            "5",
            "5s",
            "5 S",
            " 5S",
            "5S ",
            "-1S",
            "+1S",
            "1.5S",
            "123456789S",
            "5SS",
            "0x1S",
            "\u{665}S",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Malformed), "{text:?}");
        }
    }

    #[test]
    fn two_timeouts_are_malformed() {
        let mut headers = HeaderMap::new();
        assert_eq!(requested(&headers), Ok(None));
        headers.append(TIMEOUT, http::HeaderValue::from_static("1S"));
        assert_eq!(requested(&headers), Ok(Some(Duration::from_secs(1))));
        headers.append(TIMEOUT, http::HeaderValue::from_static("1S"));
        assert_eq!(requested(&headers), Err(Malformed));
    }
}
