//! Search criteria.

use domain::Violations;
use domain::page::Criteria;
use proto::{sys, v1};

use crate::convert::{enums, id, msgbox, time};

/// Criteria for the entries of a mailbox.
pub(super) fn of_entries(given: &v1::SearchCriteria, violations: &mut Violations) -> Criteria {
    id::no_conversation(&given.conversation_id, &path("conversation_id"), violations);
    Criteria {
        msgbox: msgbox::optional(&given.msgbox, &path("msgbox"), violations),
        read: given.read,
        sender: profile(&given.sender_profile_id, "sender_profile_id", violations),
        to: profile(&given.to_profile_id, "to_profile_id", violations),
        party: profile(&given.party_profile_id, "party_profile_id", violations),
        kind: enums::kind(given.kind, &path("kind"), violations),
        system_only: false,
        sent_after: time::after(given.sent_after, &path("sent_after"), violations),
        sent_before: time::before(given.sent_before, &path("sent_before"), violations),
        updated_after: time::after(given.updated_after, &path("updated_after"), violations),
    }
}

/// Criteria for the messages of an app.
pub(super) fn of_messages(
    given: &sys::v1::RepositoryCriteria,
    violations: &mut Violations,
) -> Criteria {
    Criteria {
        sender: profile(&given.sender_profile_id, "sender_profile_id", violations),
        to: profile(&given.to_profile_id, "to_profile_id", violations),
        kind: enums::kind(given.kind, &path("kind"), violations),
        system_only: given.system_only,
        sent_after: time::after(given.sent_after, &path("sent_after"), violations),
        sent_before: time::before(given.sent_before, &path("sent_before"), violations),
        updated_after: time::after(given.updated_after, &path("updated_after"), violations),
        ..Criteria::default()
    }
}

/// Refuses criteria that look for recipients, for a count: it would read the recipients of every
/// message.
pub(super) fn refuse_count_by_recipient(criteria: &Criteria, violations: &mut Violations) {
    let by_recipient = [
        ("to_profile_id", &criteria.to),
        ("party_profile_id", &criteria.party),
    ];
    for (name, _) in by_recipient.iter().filter(|(_, given)| given.is_some()) {
        violations.invalid(path(name), "must be empty with do_count");
    }
}

fn profile(text: &str, name: &str, violations: &mut Violations) -> Option<domain::ProfileId> {
    id::optional_profile(text, &path(name), violations)
}

fn path(name: &str) -> String {
    format!("context.search_criteria.{name}")
}
