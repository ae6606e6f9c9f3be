//! Notifications in requests.

use bytes::Bytes;
use domain::Violations;
use prost::Message as _;
use proto::v1;

/// Checks a notification, and returns its stored form, the encoded message. Its data is a sorted
/// map, so that equal notifications have equal bytes.
pub fn parse(
    notification: Option<&v1::Notification>,
    violations: &mut Violations,
) -> Option<Bytes> {
    let notification = notification?;
    domain::notification::check(
        &notification.title,
        &notification.text,
        &notification.sound,
        &notification.data,
        "notification",
        violations,
    );
    Some(notification.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(data: &[(&str, &str)]) -> v1::Notification {
        v1::Notification {
            title: "hello".into(),
            data: data
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            ..v1::Notification::default()
        }
    }

    #[test]
    fn the_order_of_the_data_does_not_matter() {
        let mut violations = Violations::none();
        let one = notification(&[("a", "1"), ("b", "2")]);
        let other = notification(&[("b", "2"), ("a", "1")]);
        assert_eq!(
            parse(Some(&one), &mut violations),
            parse(Some(&other), &mut violations)
        );
        assert!(violations.is_empty());
    }

    #[test]
    fn a_title_over_the_limit_is_a_violation() {
        let mut violations = Violations::none();
        let long = v1::Notification {
            title: "x".repeat(129),
            ..v1::Notification::default()
        };
        parse(Some(&long), &mut violations);
        assert_eq!(violations.as_slice()[0].field, "notification.title");
    }
}
