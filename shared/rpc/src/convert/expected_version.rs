//! Expected versions in requests.

use domain::Violations;

const LATEST: i64 = -1;

/// Parses an `expected_version`; none for the latest.
pub fn parse(version: Option<i64>, violations: &mut Violations) -> Option<i64> {
    match version {
        None | Some(LATEST) => None,
        Some(1..) => version,
        Some(_) => {
            violations.invalid(
                "expected_version",
                "must be 1 or more, or -1 for the latest",
            );
            None
        }
    }
}

/// Returns the canonical form, the same for both spellings of the latest.
#[must_use]
pub fn canonical(version: Option<i64>) -> [u8; 8] {
    version.unwrap_or(LATEST).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_minus_one_mean_the_latest_version() {
        for (given, parsed, complaints) in [
            (None, None, 0),
            (Some(-1), None, 0),
            (Some(1), Some(1), 0),
            (Some(i64::MAX), Some(i64::MAX), 0),
            (Some(0), None, 1),
            (Some(-2), None, 1),
            (Some(i64::MIN), None, 1),
        ] {
            let mut violations = Violations::none();
            assert_eq!(parse(given, &mut violations), parsed, "{given:?}");
            assert_eq!(violations.as_slice().len(), complaints, "{given:?}");
        }
    }
}
