//! An owner deletes all own entries of a box.

use super::{Apply, EntryRange, Footprint, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::limits::BATCH_ENTRIES_MAX;
use crate::mailbox::Msgbox;
use crate::refusal::Refusal;

/// Empties one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearMessages {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Box to empty.
    pub msgbox: Msgbox,
}

impl Apply for ClearMessages {
    /// Number of deleted entries.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        Footprint::of_owner(
            &self.owner,
            EntryRange::All(self.owner.clone(), self.msgbox),
        )
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(BATCH_ENTRIES_MAX)
    }

    fn lane_key(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let mut actual = 0;
        for message_id in ledger.messages_in(&self.owner, self.msgbox) {
            actual += u32::from(ledger.remove_entry(&self.owner, self.msgbox, message_id));
        }
        Ok(actual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{MemoryStore, from_user, profile};

    #[test]
    fn one_box_of_one_owner_is_emptied() {
        let mut store = MemoryStore::default();
        for now in [10, 11, 12] {
            store.send(now, from_user("ann", ["ann", "bob"]));
        }
        let clear = Action::ClearMessages(ClearMessages {
            owner: profile("ann"),
            msgbox: Msgbox::Inbox,
        });
        assert_eq!(store.execute(20, clear.clone()), Ok(Outcome::Changed(3)));
        assert_eq!(store.counts("ann"), (0, 0, 3));
        assert_eq!(store.counts("bob"), (3, 3, 0));
        assert_eq!(store.execute(21, clear), Ok(Outcome::Changed(0)));
    }
}
