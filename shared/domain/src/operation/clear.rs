//! An owner deletes all own entries of a box.

use super::{EntryRange, Footprint};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;

/// Empties one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clear {
    /// Whose.
    pub owner: ProfileId,
    /// Which box.
    pub msgbox: Msgbox,
}

impl Clear {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::of_owner(
            &self.owner,
            EntryRange::All(self.owner.clone(), self.msgbox),
        )
    }

    /// How many entries this removed.
    pub(super) fn apply(&self, ledger: &mut Ledger) -> u32 {
        let mut actual = 0;
        for message_id in ledger.messages_in(&self.owner, self.msgbox) {
            actual += u32::from(ledger.remove_entry(&self.owner, self.msgbox, message_id));
        }
        actual
    }
}
