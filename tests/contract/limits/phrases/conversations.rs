//! The phrases of the limits of conversations.

use ::domain::limits as domain;

use super::super::units::{at_most, cut, number, size, up_to};
use super::Phrases;

pub fn limits_of_conversations() -> Phrases {
    let most = format!(
        "at most {} conversations",
        number(domain::CONVERSATIONS_MAX)
    );
    let of_keys = format!("1 to {} keys", domain::METADATA_DEPTH_MAX);
    let of_key = format!("1 to {} ASCII letters", domain::METADATA_KEY_BYTES_MAX);
    let (part, all) = (domain::METADATA_PART_BYTES_MAX, domain::METADATA_BYTES_MAX);
    let paths = format!("{} at the most", domain::METADATA_PATHS_MAX);
    let answer = domain::CONVERSATIONS_PER_ANSWER_MAX;
    let mut phrases: Phrases = [
        "CreateConversationRequest.participants",
        "AddParticipantsRequest.participants",
        "RemoveParticipantsRequest.participants",
        "ReplaceParticipantsRequest.participants",
    ]
    .map(|at| (at, up_to(domain::PARTICIPANTS_CAP)))
    .into();
    phrases.extend([
        ("Conversations.CreateConversation", most.clone()),
        ("Conversations.AddParticipants", most),
        (
            "ERROR_REASON_CONVERSATIONS_FULL",
            format!("{} conversations", number(domain::CONVERSATIONS_MAX)),
        ),
        (
            "ERROR_REASON_MAX_PARTICIPANTS_EXCEEDED",
            format!(
                "({} by default), or than {}",
                domain::PARTICIPANTS_DEFAULT,
                domain::PARTICIPANTS_CAP
            ),
        ),
        (
            "ERROR_REASON_METADATA_TOO_LARGE",
            format!(
                "more than {} for a first key, or of more than {}",
                size(part),
                size(all)
            ),
        ),
        ("CreateConversationRequest.metadata", of_keys),
        ("CreateConversationRequest.metadata", of_key),
        (
            "CreateConversationRequest.metadata",
            format!("{} for each first key", at_most(part)),
        ),
        (
            "CreateConversationRequest.metadata",
            format!("{} in all", at_most(all)),
        ),
        (
            "UpdateConversationMetadataRequest.delete_paths",
            paths.clone(),
        ),
        ("UpdateConversationMetadataRequest.set", paths),
        ("GetConversationsRequest.conversation_ids", up_to(answer)),
        ("ListConversationsRequest.page_size", cut(answer, answer)),
    ]);
    phrases
}
