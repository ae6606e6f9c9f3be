//! Conversations in requests and responses.

use std::collections::BTreeMap;

use domain::conversation::{MetadataError, MetadataPath};
use domain::limits::{METADATA_PATHS_MAX, PARTICIPANTS_CAP};
use domain::{
    Conversation, ConversationId, LimitExceeded, Metadata, ProfileId, Reason, Violations,
};
use proto::v1;
use uuid::Uuid;

use super::{id, time};

/// Parses the `participants` of a request: 1 to [`PARTICIPANTS_CAP`].
pub fn participants(given: &[String], violations: &mut Violations) -> Option<Vec<ProfileId>> {
    if given.is_empty() {
        violations.invalid("participants", "must name a profile");
        return None;
    }
    if given.len() > PARTICIPANTS_CAP as usize {
        let (named, max) = (given.len(), PARTICIPANTS_CAP);
        let exceeded = LimitExceeded::Participants { named, max };
        let reason = Reason::MaxParticipantsExceeded;
        violations.add("participants", reason, exceeded.to_string());
        return None;
    }
    let ids = given.iter().enumerate();
    let ids = ids.filter_map(|(index, text)| {
        id::profile(text, &format!("participants[{index}]"), violations)
    });
    let ids: Vec<ProfileId> = ids.collect();
    (ids.len() == given.len()).then_some(ids)
}

/// Parses the required `conversation_id` of a request. A text that is no UUID yields the nil id, which
/// no conversation has, so that both are equally not found.
pub fn required_id(text: &str, violations: &mut Violations) -> ConversationId {
    if text.is_empty() {
        violations.invalid("conversation_id", "must not be empty");
    }
    ConversationId::parse(text).unwrap_or(ConversationId::new(Uuid::nil()))
}

/// Parses the `conversation_id` that a client has chosen; none if it is empty.
pub fn chosen_id(text: &str, violations: &mut Violations) -> Option<ConversationId> {
    if text.is_empty() {
        return None;
    }
    let chosen = ConversationId::parse(text).filter(|id| !id.uuid().is_nil());
    if chosen.is_none() {
        violations.invalid("conversation_id", "must be a UUID, and not the nil one");
    }
    chosen
}

/// Parses metadata in a field of a request.
pub fn metadata(
    given: &BTreeMap<String, String>,
    field: &str,
    violations: &mut Violations,
) -> Metadata {
    let metadata = Metadata::parse(given).unwrap_or_else(|errors| {
        for error in errors {
            let (MetadataError::Path(path) | MetadataError::Below(path)) = &error;
            violations.invalid(format!("{field}[{path:?}]"), error.to_string());
        }
        Metadata::default()
    });
    if let Some((bytes, max)) = metadata.oversize() {
        let exceeded = LimitExceeded::Metadata { bytes, max };
        violations.add(field, Reason::MetadataTooLarge, exceeded.to_string());
    }
    metadata
}

/// Parses the `delete_paths` of metadata.
pub fn deleted_paths(given: &[String], violations: &mut Violations) -> Vec<MetadataPath> {
    check_number(given.len(), "delete_paths", violations);
    let paths = given.iter().take(METADATA_PATHS_MAX).enumerate();
    let mut parsed = Vec::new();
    for (index, path) in paths {
        match MetadataPath::parse(path) {
            Ok(path) => parsed.push(path),
            Err(error) => violations.invalid(format!("delete_paths[{index}]"), error.to_string()),
        }
    }
    parsed
}

/// Parses the strings of metadata to `set`.
pub fn set_strings(given: &BTreeMap<String, String>, violations: &mut Violations) -> Metadata {
    check_number(given.len(), "set", violations);
    metadata(given, "set", violations)
}

fn check_number(paths: usize, field: &str, violations: &mut Violations) {
    if paths > METADATA_PATHS_MAX {
        violations.invalid(
            field,
            format!("must have at most {METADATA_PATHS_MAX} paths"),
        );
    }
}

/// Shows a conversation to a participant.
#[must_use]
pub fn show(conversation: &Conversation) -> v1::Conversation {
    let participants = conversation.participants.iter();
    let metadata = conversation.metadata.iter();
    let creator = conversation.creator.as_ref();
    v1::Conversation {
        conversation_id: conversation.conversation_id.to_string(),
        distinct: conversation.distinct_key.is_some(),
        participants: participants.map(|it| it.as_str().to_owned()).collect(),
        metadata: metadata
            .map(|(path, value)| (path.to_owned(), value.to_owned()))
            .collect(),
        version: conversation.version,
        creator_profile_id: creator.map_or(String::new(), |it| it.as_str().to_owned()),
        create_time: Some(time::timestamp(conversation.create_ms)),
        update_time: Some(time::timestamp(conversation.update_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(violations: &Violations) -> Vec<(&str, Reason)> {
        let found = violations.as_slice().iter();
        found.map(|it| (it.field.as_str(), it.reason)).collect()
    }

    #[test]
    fn participants_are_one_to_the_cap() {
        for (number, reason) in [
            (0, Some(Reason::InvalidRequest)),
            (1, None),
            (500, None),
            (501, Some(Reason::MaxParticipantsExceeded)),
        ] {
            let mut violations = Violations::none();
            participants(&vec!["bob".to_owned(); number], &mut violations);
            let found = fields(&violations).first().map(|(_, reason)| *reason);
            assert_eq!(found, reason, "{number}");
        }
        let mut violations = Violations::none();
        assert_eq!(participants(&["a\nb".to_owned()], &mut violations), None);
        let invalid = ("participants[0]", Reason::InvalidRequest);
        assert_eq!(fields(&violations), [invalid]);
    }

    #[test]
    fn a_chosen_id_is_a_uuid_and_a_required_one_may_be_anything() {
        let mut violations = Violations::none();
        assert_eq!(chosen_id("", &mut violations), None);
        let text = "01890a5d-ac96-774b-bcce-b302099a8057";
        let chosen = chosen_id(text, &mut violations).expect("an id");
        assert_eq!(chosen.to_string(), text);
        assert!(required_id("x", &mut violations).uuid().is_nil());
        assert!(violations.is_empty());
        for text in ["x", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(chosen_id(text, &mut violations), None);
        }
        required_id("", &mut violations);
        assert_eq!(violations.as_slice().len(), 3);
    }

    #[test]
    fn violations_of_metadata_name_its_paths() {
        let strings = |number: usize, value: &str| -> BTreeMap<String, String> {
            let strings = (0..number).map(|it| (format!("k{it}"), value.to_owned()));
            strings.collect()
        };
        let mut violations = Violations::none();
        let bad = ["a b", "c", "c.d"].map(|it| (it.to_owned(), String::new()));
        metadata(&BTreeMap::from(bad), "metadata", &mut violations);
        metadata(&strings(1, &"x".repeat(2_047)), "metadata", &mut violations);
        set_strings(&strings(101, ""), &mut violations);
        deleted_paths(&vec!["a".to_owned(); 101], &mut violations);
        deleted_paths(&["a".to_owned(), "b.".to_owned()], &mut violations);
        let invalid = |field| (field, Reason::InvalidRequest);
        assert_eq!(
            fields(&violations),
            [
                invalid("metadata[\"a b\"]"),
                invalid("metadata[\"c.d\"]"),
                ("metadata", Reason::MetadataTooLarge),
                invalid("set"),
                invalid("delete_paths"),
                invalid("delete_paths[1]"),
            ]
        );
    }
}
