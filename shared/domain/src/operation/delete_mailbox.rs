//! The mailbox of a profile goes.

use std::collections::BTreeSet;

use super::{Apply, Footprint, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::limits::PART_ENTRIES;
use crate::refusal::Refusal;

/// Deletes a mailbox without entries, blocks and conversations, and its tombstones. In a transaction of
/// its own: nothing else can use the mailbox in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteMailbox {
    /// Owner of the mailbox.
    pub owner: ProfileId,
}

impl Apply for DeleteMailbox {
    /// 1 if the mailbox is deleted, 0 if it has entries, blocks or conversations.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        Footprint {
            mailboxes: BTreeSet::from([self.owner.clone()]),
            ..Footprint::default()
        }
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(PART_ENTRIES)
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        Ok(u32::from(ledger.delete_mailbox(&self.owner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Msgbox;
    use crate::operation::ClearMessages;
    use crate::testing::{MemoryStore, from_user, profile};

    #[test]
    fn a_mailbox_goes_once_it_has_no_entries() {
        let mut store = MemoryStore::default();
        store.send(10, from_user("ann", ["bob"]));
        let delete = DeleteMailbox {
            owner: profile("bob"),
        };
        assert_eq!(store.execute(20, delete.clone()), Ok(0));
        let clear = ClearMessages::new(profile("bob"), Msgbox::Inbox);
        assert_eq!(store.execute(21, clear), Ok(1));
        assert_eq!(store.tombstones.len(), 1);
        assert_eq!(store.execute(22, delete), Ok(1));
        assert!(!store.mailboxes.contains_key(&profile("bob")));
        assert_eq!(store.tombstones.len(), 0);
        assert_eq!(store.counts("ann"), (0, 0, 1));
    }
}
