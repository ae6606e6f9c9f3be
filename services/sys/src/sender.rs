//! Sender of a message of the app, as its readers see it.

use domain::limits::{SENDER_NAME_BYTES_MAX, SENDER_PIC_BYTES_MAX};
use domain::sender::{is_name, is_pic};
use domain::{Reason, Sender, Violations};
use proto::v1;

/// Takes the `sender` of a request: a name and perhaps a picture, but no profile.
pub fn parse(sender: Option<v1::Sender>, violations: &mut Violations) -> Sender {
    let sender = sender.unwrap_or_default();
    if !sender.profile_id.is_empty() {
        violations.add(
            "sender.profile_id",
            Reason::SenderIdMustBeEmpty,
            "must be empty: the app itself has no profile",
        );
    }
    if sender.name.is_empty() {
        violations.add(
            "sender.name",
            Reason::SenderNameRequired,
            "must be the name to show",
        );
    }
    if !is_name(&sender.name) {
        violations.invalid(
            "sender.name",
            format!(
                "must have at most {SENDER_NAME_BYTES_MAX} bytes, no control and bidi characters"
            ),
        );
    }
    if !is_pic(&sender.pic) {
        violations.invalid(
            "sender.pic",
            format!("must be an https URL of at most {SENDER_PIC_BYTES_MAX} bytes, or empty"),
        );
    }
    Sender {
        profile_id: None,
        name: sender.name,
        pic: sender.pic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(sender: Option<v1::Sender>) -> Vec<(String, Reason)> {
        let mut violations = Violations::none();
        parse(sender, &mut violations);
        let found = violations.as_slice().iter();
        found
            .map(|violation| (violation.field.clone(), violation.reason))
            .collect()
    }

    #[test]
    fn the_app_has_a_name_and_no_profile() {
        let sender = |profile_id: &str, name: &str, pic: &str| v1::Sender {
            profile_id: profile_id.into(),
            name: name.into(),
            pic: pic.into(),
        };
        assert_eq!(reasons(Some(sender("", "News", "https://a/b.png"))), []);
        let required = ("sender.name".to_owned(), Reason::SenderNameRequired);
        assert_eq!(reasons(None), std::slice::from_ref(&required));
        assert_eq!(
            reasons(Some(sender("bob", "", ""))),
            [
                ("sender.profile_id".to_owned(), Reason::SenderIdMustBeEmpty),
                required
            ]
        );
        assert_eq!(
            reasons(Some(sender("", &"x".repeat(129), &"x".repeat(513)))),
            [
                ("sender.name".to_owned(), Reason::InvalidRequest),
                ("sender.pic".to_owned(), Reason::InvalidRequest)
            ]
        );
    }
}
