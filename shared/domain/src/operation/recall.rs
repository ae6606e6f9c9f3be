//! A sender or a recipient deletes messages from everyone's boxes.

use super::Footprint;
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::message::{Envelope, MessageKind};
use crate::policy::Policy;
use crate::refusal::Refusal;

/// Deletes messages for everyone: all that are the caller's to see, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// Who asks.
    pub owner: ProfileId,
    /// As what: `sent` for the sender, `inbox` for a recipient.
    pub msgbox: Msgbox,
    /// Which, each once.
    pub message_ids: Vec<MessageId>,
}

impl Recall {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::of_messages(self.message_ids.iter().copied())
    }

    /// How many messages this removed.
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let policy = ledger.policy();
        let seen: Vec<&Envelope> = self
            .message_ids
            .iter()
            .filter_map(|&message_id| ledger.message(message_id))
            .filter(|message| self.sees(ledger, message))
            .collect();
        if !seen.iter().all(|message| self.may_recall(message, &policy)) {
            return Err(Refusal::NotAllowed);
        }
        let found: Vec<MessageId> = seen.iter().map(|message| message.message_id).collect();
        let mut actual = 0;
        for message_id in found {
            actual += u32::from(ledger.remove_message(message_id));
        }
        Ok(actual)
    }

    /// A sender stays the sender after deleting the own copy; a recipient without a copy
    /// is a stranger.
    fn sees(&self, ledger: &Ledger, message: &Envelope) -> bool {
        match self.msgbox {
            Msgbox::Sent => message.is_from(&self.owner),
            Msgbox::Inbox => ledger
                .entry(&self.owner, Msgbox::Inbox, message.message_id)
                .is_some(),
        }
    }

    fn may_recall(&self, message: &Envelope, policy: &Policy) -> bool {
        let allowed = match self.msgbox {
            Msgbox::Sent => policy.allow_delete_for_everyone,
            Msgbox::Inbox => policy.recipients_may_delete_for_everyone,
        };
        allowed && message.kind == MessageKind::Regular
    }
}
