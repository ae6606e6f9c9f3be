//! Identifiers in requests.

use domain::limits::{RECIPIENTS_CAP, REQUEST_ID_BYTES_MAX};
use domain::{MessageId, ProfileId, Reason, RequestId, Violations};
use uuid::Uuid;

/// A profile id that must be given.
pub fn profile(text: &str, field: &str, violations: &mut Violations) -> Option<ProfileId> {
    ProfileId::parse(text)
        .map_err(|error| violations.invalid(field, error.to_string()))
        .ok()
}

/// A profile id that may be absent: empty.
pub fn optional_profile(text: &str, field: &str, violations: &mut Violations) -> Option<ProfileId> {
    (!text.is_empty())
        .then(|| profile(text, field, violations))
        .flatten()
}

/// The recipients in `to`, as they were sent: one at least, and no more than any policy
/// allows.
pub fn recipients(to: &[String], violations: &mut Violations) -> Option<Vec<ProfileId>> {
    if to.is_empty() {
        violations.invalid("to", "must name a recipient");
        return None;
    }
    if to.len() > RECIPIENTS_CAP {
        violations.add(
            "to",
            Reason::MaxRecipientsExceeded,
            format!(
                "names {} recipients, at most {RECIPIENTS_CAP} are allowed",
                to.len()
            ),
        );
        return None;
    }
    let ids: Vec<ProfileId> = to
        .iter()
        .enumerate()
        .filter_map(|(index, text)| profile(text, &format!("to[{index}]"), violations))
        .collect();
    (ids.len() == to.len()).then_some(ids)
}

/// The id of one message, in `message_id`. A text that is no UUID becomes the nil id, which
/// no message has: both are simply not there.
pub fn message(text: &str, violations: &mut Violations) -> MessageId {
    if text.is_empty() {
        violations.invalid("message_id", "must not be empty");
    }
    MessageId::parse(text).unwrap_or(MessageId::new(Uuid::nil()))
}

/// A `request_id`; none if it is empty.
pub fn request(text: &str, violations: &mut Violations) -> Option<RequestId> {
    let id = RequestId::parse(text);
    if id.is_none() && !text.is_empty() {
        violations.invalid(
            "request_id",
            format!("must be 1 to {REQUEST_ID_BYTES_MAX} bytes of A-Z a-z 0-9 . _ -"),
        );
    }
    id
}

/// A conversation: reserved, and refused for now.
pub fn no_conversation(text: &str, field: &str, violations: &mut Violations) {
    if !text.is_empty() {
        violations.invalid(field, "is reserved and must be empty");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_recipient_is_named_by_its_index() {
        let mut violations = Violations::none();
        let to = ["bob", "a b", "alice", ""].map(str::to_owned);
        assert_eq!(recipients(&to, &mut violations), None);
        let fields: Vec<&str> = violations
            .as_slice()
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["to[1]", "to[3]"]);
    }

    #[test]
    fn a_message_has_one_recipient_at_least_and_not_more_than_the_cap() {
        for (count, reason) in [
            (0, Some(Reason::InvalidRequest)),
            (1, None),
            (RECIPIENTS_CAP, None),
            (RECIPIENTS_CAP + 1, Some(Reason::MaxRecipientsExceeded)),
        ] {
            let mut violations = Violations::none();
            recipients(&vec!["bob".to_owned(); count], &mut violations);
            let found = violations.as_slice().first().map(|found| found.reason);
            assert_eq!(found, reason, "{count} recipients");
        }
    }

    #[test]
    fn a_message_id_that_is_no_uuid_is_an_id_that_is_not_there() {
        let mut violations = Violations::none();
        assert_eq!(
            message("no-uuid", &mut violations),
            MessageId::new(Uuid::nil())
        );
        assert!(violations.is_empty());
        message("", &mut violations);
        assert_eq!(violations.as_slice().len(), 1);
    }

    #[test]
    fn an_absent_request_id_is_none_and_a_bad_one_is_a_violation() {
        let mut violations = Violations::none();
        assert!(request("", &mut violations).is_none() && violations.is_empty());
        assert!(request("a b", &mut violations).is_none() && !violations.is_empty());
    }
}
