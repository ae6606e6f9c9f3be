//! A sender changes what a message says, for everyone who holds it.

use super::{Footprint, Revision, update};
use crate::content::Content;
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::refusal::Refusal;

/// Gives a message another content, on behalf of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Who asks.
    pub owner: ProfileId,
    /// Which message; none: an id that is no id.
    pub message_id: MessageId,
    /// What it says now.
    pub content: Content,
    /// The version that the caller knows; none: whatever is the latest.
    pub expected_version: Option<i64>,
}

impl Edit {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::of_messages([self.message_id])
    }

    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<Revision, Refusal> {
        let message = ledger.message(self.message_id).ok_or(Refusal::NotFound)?;
        if !message.is_from(&self.owner) {
            let holds = ledger
                .entry(&self.owner, Msgbox::Inbox, self.message_id)
                .is_some();
            return Err(if holds {
                Refusal::NotAllowed
            } else {
                Refusal::NotFound
            });
        }
        if !ledger.policy().allow_edit {
            return Err(Refusal::NotAllowed);
        }
        update::revise(
            ledger,
            self.message_id,
            &self.content,
            self.expected_version,
        )
    }
}
