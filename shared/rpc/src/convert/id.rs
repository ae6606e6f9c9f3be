//! Identifiers in requests.

use domain::limits::{RECIPIENTS_CAP, REQUEST_ID_BYTES_MAX};
use domain::{MessageId, ProfileId, Reason, RequestId, Violations};
use uuid::Uuid;

use crate::layer::call_info::{note_profile, note_request_id};

/// Parses a required profile id. The audit log has it if contents are read.
pub fn profile(text: &str, field: &str, violations: &mut Violations) -> Option<ProfileId> {
    let profile = ProfileId::parse(text)
        .map_err(|error| violations.invalid(field, error.to_string()))
        .ok()?;
    note_profile(&profile);
    Some(profile)
}

/// Parses an optional profile id; empty means absent.
pub fn optional_profile(text: &str, field: &str, violations: &mut Violations) -> Option<ProfileId> {
    (!text.is_empty())
        .then(|| profile(text, field, violations))
        .flatten()
}

/// Parses the recipients in `to`: 1 to [`RECIPIENTS_CAP`], in the order of the request.
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

/// Parses the `message_id` of a request. A text that is no UUID yields the nil id, which no
/// message has, so that both are equally not found.
pub fn message(text: &str, violations: &mut Violations) -> MessageId {
    if text.is_empty() {
        violations.invalid("message_id", "must not be empty");
    }
    MessageId::parse(text).unwrap_or(MessageId::new(Uuid::nil()))
}

/// Parses a `request_id`; none if it is empty. The access log has its pseudonym.
pub fn request(text: &str, violations: &mut Violations) -> Option<RequestId> {
    let id = RequestId::parse(text);
    if let Some(id) = &id {
        note_request_id(id);
    } else if !text.is_empty() {
        violations.invalid(
            "request_id",
            format!("must be 1 to {REQUEST_ID_BYTES_MAX} bytes of A-Z a-z 0-9 . _ -"),
        );
    }
    id
}

/// Adds a violation unless the reserved conversation id is empty.
pub fn no_conversation(text: &str, field: &str, violations: &mut Violations) {
    if !text.is_empty() {
        violations.invalid(field, "is reserved and must be empty");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_recipients_are_violations_at_their_indexes() {
        let mut violations = Violations::none();
        let to = ["bob", "a\nb", "alice", ""].map(str::to_owned);
        assert_eq!(recipients(&to, &mut violations), None);
        let fields: Vec<&str> = violations
            .as_slice()
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["to[1]", "to[3]"]);
    }

    #[test]
    fn a_message_has_one_recipient_to_the_cap() {
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
    fn a_message_id_that_is_no_uuid_becomes_the_nil_id() {
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
    fn an_empty_request_id_is_none_and_a_malformed_one_a_violation() {
        let mut violations = Violations::none();
        assert!(request("", &mut violations).is_none() && violations.is_empty());
        assert!(request("a b", &mut violations).is_none() && !violations.is_empty());
    }
}
