//! Names of boxes in requests.

use domain::{Msgbox, Reason, Violations};

/// Parses the required name of a box.
pub fn parse(name: &str, field: &str, violations: &mut Violations) -> Option<Msgbox> {
    let msgbox = Msgbox::parse(name);
    if msgbox.is_none() {
        let [inbox, sent] = Msgbox::ALL.map(Msgbox::name);
        violations.add(
            field,
            Reason::MsgboxUnknown,
            format!("must be {inbox} or {sent}"),
        );
    }
    msgbox
}

/// Parses the optional name of a box; empty means all boxes.
pub fn optional(name: &str, field: &str, violations: &mut Violations) -> Option<Msgbox> {
    (!name.is_empty())
        .then(|| parse(name, field, violations))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_inbox_and_sent_are_boxes() {
        let mut violations = Violations::none();
        assert_eq!(parse("sent", "msgbox", &mut violations), Some(Msgbox::Sent));
        assert!(violations.is_empty());
        for name in ["", "INBOX", "drafts"] {
            assert_eq!(parse(name, "msgbox", &mut violations), None);
        }
        assert_eq!(violations.as_slice().len(), 3);
        assert_eq!(violations.reason(), Reason::MsgboxUnknown);
    }
}
