//! A participant of a conversation adds, removes and replaces participants.

use std::collections::BTreeSet;

use super::create_conversation::{cause_mailboxes, check_blocks, check_new, check_number};
use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, ConversationVersion, Footprint, UserSend, Weight};
use crate::conversation::Conversation;
use crate::id::{ConversationId, ProfileId};
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Participants that are to be left when others are removed.
const PARTICIPANTS_MIN: usize = 2;

/// Kind of a change of participants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantsChange {
    /// Addition of the named profiles; the others stay.
    Add,
    /// Removal of the named profiles.
    Remove,
    /// Replacement of all participants by the named profiles and the caller.
    Replace,
}

/// Changes the participants of a conversation. If anyone comes or goes, it is not distinct any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeParticipants {
    caller: ProfileId,
    conversation_id: ConversationId,
    change: ParticipantsChange,
    named: BTreeSet<ProfileId>,
}

impl ChangeParticipants {
    /// A change by a caller, who names profiles, each of them perhaps more than once.
    #[must_use]
    pub fn new(
        caller: ProfileId,
        conversation_id: ConversationId,
        change: ParticipantsChange,
        named: Vec<ProfileId>,
    ) -> Self {
        Self {
            caller,
            conversation_id,
            change,
            named: named.into_iter().collect(),
        }
    }

    /// Returns the participants after the change.
    fn after(&self, conversation: &Conversation) -> BTreeSet<ProfileId> {
        let before = conversation.participants.iter().cloned();
        match self.change {
            ParticipantsChange::Add => before.chain(self.named.iter().cloned()).collect(),
            ParticipantsChange::Remove => before.filter(|it| !self.named.contains(it)).collect(),
            ParticipantsChange::Replace => {
                let caller = [self.caller.clone()];
                self.named.iter().cloned().chain(caller).collect()
            }
        }
    }

    /// Checks whether the change may be made, and brings these profiles in.
    fn check(
        &self,
        ledger: &Ledger,
        new: &[ProfileId],
        after: &BTreeSet<ProfileId>,
    ) -> Result<(), Refusal> {
        if after.len() < PARTICIPANTS_MIN {
            return Err(Refusal::TooFewParticipants);
        }
        if new.is_empty() {
            return Ok(());
        }
        let policy = ledger.policy();
        check_number(&policy, after.len())?;
        check_blocks(ledger, &self.caller, new)?;
        check_new(ledger, &policy, &self.caller, new)
    }
}

impl Apply for ChangeParticipants {
    type Outcome = ConversationVersion;

    fn footprint(&self) -> Footprint {
        let brings = self.change != ParticipantsChange::Remove;
        let send = || UserSend {
            sender: self.caller.clone(),
            to: self.named.iter().cloned().collect(),
        };
        Footprint {
            sends: brings.then(send).into_iter().collect(),
            ..Footprint::of_conversation(&self.caller, self.conversation_id)
        }
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.named.len() + HOLDERS_ESTIMATE)
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.caller)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<ConversationVersion, Refusal> {
        let before = ledger.conversation_of(&self.caller, self.conversation_id)?;
        let after = self.after(before);
        let new: Vec<ProfileId> = after.iter().filter(|it| !before.has(it)).cloned().collect();
        let mut stay = before.participants.iter();
        if new.is_empty() && stay.all(|it| after.contains(it)) {
            return Ok(ConversationVersion(before.version));
        }
        self.check(ledger, &new, &after)?;
        let after = after.into_iter().collect();
        let version = ledger.set_participants(self.conversation_id, after);
        cause_mailboxes(ledger, &self.caller, &new);
        Ok(ConversationVersion(version))
    }
}

impl Footprint {
    /// A conversation of the caller, with the mailboxes of its participants.
    pub(super) fn of_conversation(caller: &ProfileId, conversation_id: ConversationId) -> Self {
        Self {
            conversations: BTreeSet::from([conversation_id]),
            claimant: Some(caller.clone()),
            mailboxes: BTreeSet::from([caller.clone()]),
            ..Self::default()
        }
    }
}

impl Ledger {
    /// Returns a conversation that was locked, if a profile is a participant.
    pub(super) fn conversation_of(
        &self,
        caller: &ProfileId,
        conversation_id: ConversationId,
    ) -> Result<&Conversation, Refusal> {
        let conversation = self.conversation(conversation_id);
        conversation
            .filter(|it| it.has(caller))
            .ok_or(Refusal::ConversationNotFound)
    }
}

#[cfg(test)]
mod tests;
