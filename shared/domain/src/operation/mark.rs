//! Entries are marked as read or unread.

use super::{EntryRange, Footprint};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;

/// Marks entries of one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub owner: ProfileId,
    /// In which box; in `sent` nothing changes.
    pub msgbox: Msgbox,
    /// Which, each once.
    pub message_ids: Vec<MessageId>,
    /// As read, or as unread.
    pub read: bool,
}

impl Mark {
    pub(super) fn footprint(&self) -> Footprint {
        let named = EntryRange::Named(self.owner.clone(), self.msgbox, self.message_ids.clone());
        Footprint::of_owner(&self.owner, named)
    }

    /// How many of the entries exist, and so are as wished now.
    pub(super) fn apply(&self, ledger: &mut Ledger) -> u32 {
        let mut actual = 0;
        for &message_id in &self.message_ids {
            ledger.mark_entry(&self.owner, self.msgbox, message_id, self.read);
            actual += u32::from(ledger.entry(&self.owner, self.msgbox, message_id).is_some());
        }
        actual
    }
}
