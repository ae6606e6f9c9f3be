//! A participant leaves a conversation, which ends with the last one.

use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, Footprint, Weight};
use crate::id::{ConversationId, ProfileId};
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Removes the caller from the participants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveConversation {
    /// Participant who leaves.
    pub caller: ProfileId,
    /// The conversation.
    pub conversation_id: ConversationId,
}

impl Apply for LeaveConversation {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint::of_conversation(&self.caller, self.conversation_id)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(HOLDERS_ESTIMATE)
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.caller)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        let conversation = ledger.conversation_of(&self.caller, self.conversation_id)?;
        let mut left = conversation.participants.clone();
        left.retain(|it| *it != self.caller);
        ledger.set_participants(self.conversation_id, left);
        Ok(())
    }
}
