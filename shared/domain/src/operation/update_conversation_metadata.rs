//! A participant changes the metadata of a conversation.

use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, ConversationVersion, Footprint, Weight};
use crate::conversation::{Metadata, MetadataPath};
use crate::id::{ConversationId, ProfileId};
use crate::ledger::Ledger;
use crate::refusal::{LimitExceeded, Refusal};

/// Deletes strings of metadata, then sets others. Without a change, the version stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateConversationMetadata {
    /// Participant who changes it.
    pub caller: ProfileId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Paths to delete, each with what is below.
    pub delete: Vec<MetadataPath>,
    /// Strings to set.
    pub set: Metadata,
    /// Version that the conversation must have; none: any.
    pub expected_version: Option<i64>,
}

impl Apply for UpdateConversationMetadata {
    type Outcome = ConversationVersion;

    fn footprint(&self) -> Footprint {
        Footprint::of_conversation(&self.caller, self.conversation_id)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(HOLDERS_ESTIMATE)
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.caller)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<ConversationVersion, Refusal> {
        let conversation = ledger.conversation_of(&self.caller, self.conversation_id)?;
        let current = conversation.version;
        if let Some(expected) = self.expected_version.filter(|it| *it != current) {
            return Err(Refusal::ConversationVersionMismatch { expected, current });
        }
        let mut metadata = conversation.metadata.clone();
        for path in &self.delete {
            metadata.delete(path);
        }
        metadata.set(&self.set);
        if metadata == conversation.metadata {
            return Ok(ConversationVersion(current));
        }
        let oversize = metadata.oversize();
        Refusal::if_exceeded(oversize.map(|(bytes, max)| LimitExceeded::Metadata { bytes, max }))?;
        let version = ledger.set_metadata(self.conversation_id, metadata);
        Ok(ConversationVersion(version))
    }
}
