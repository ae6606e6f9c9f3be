//! Enums in requests. Unknown numbers are violations; generated getters would turn them into
//! the default.

use domain::{MessageKind, Violations};
use proto::v1;

/// Parses the number of a value.
pub fn known<E: TryFrom<i32>>(number: i32, field: &str, violations: &mut Violations) -> Option<E> {
    let value = E::try_from(number).ok();
    if value.is_none() {
        violations.invalid(field, format!("has no value of number {number}"));
    }
    value
}

/// Parses a message kind in search criteria; none for any.
pub fn kind(number: i32, field: &str, violations: &mut Violations) -> Option<MessageKind> {
    match known(number, field, violations)? {
        v1::MessageKind::Unspecified => None,
        v1::MessageKind::Regular => Some(MessageKind::Regular),
        v1::MessageKind::System => Some(MessageKind::System),
        v1::MessageKind::Bulk => Some(MessageKind::Bulk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_number_is_a_violation() {
        let mut violations = Violations::none();
        assert_eq!(kind(0, "kind", &mut violations), None);
        assert_eq!(kind(2, "kind", &mut violations), Some(MessageKind::System));
        assert!(violations.is_empty());
        for number in [-1, 4, 99] {
            assert_eq!(kind(number, "kind", &mut violations), None);
        }
        assert_eq!(violations.as_slice().len(), 3);
    }
}
