//! An owner deletes own entries. Everybody else keeps theirs.

use super::{EntryRange, Footprint};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;

/// Deletes entries of one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// Whose.
    pub owner: ProfileId,
    /// In which box.
    pub msgbox: Msgbox,
    /// Which, each once.
    pub message_ids: Vec<MessageId>,
}

impl Delete {
    pub(super) fn footprint(&self) -> Footprint {
        let named = EntryRange::Named(self.owner.clone(), self.msgbox, self.message_ids.clone());
        Footprint::of_owner(&self.owner, named)
    }

    /// How many entries this removed.
    pub(super) fn apply(&self, ledger: &mut Ledger) -> u32 {
        let remove = |id: &&MessageId| ledger.remove_entry(&self.owner, self.msgbox, **id);
        self.message_ids.iter().filter(remove).map(|_| 1).sum()
    }
}
