//! An owner deletes own entries; other holders keep theirs.

use super::{Apply, EntryRange, Footprint, Weight};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::refusal::Refusal;

/// Deletes entries of one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteEntries {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Box of the entries.
    pub msgbox: Msgbox,
    /// Messages of the entries, distinct.
    pub message_ids: Vec<MessageId>,
}

impl Apply for DeleteEntries {
    /// Number of deleted entries.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        let named = EntryRange::Named(self.owner.clone(), self.msgbox, self.message_ids.clone());
        Footprint::of_owner(&self.owner, named)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.message_ids.len())
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let mut actual = 0;
        for &message_id in &self.message_ids {
            actual += u32::from(ledger.remove_entry(&self.owner, self.msgbox, message_id));
        }
        Ok(actual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{MemoryStore, from_user, profile, sent_at};

    #[test]
    fn only_the_named_own_entries_go_and_are_counted_once() {
        let mut store = MemoryStore::default();
        let ids = [10, 11].map(|now| store.send(now, from_user("ann", ["ann", "bob"])));
        let delete = |msgbox| {
            Action::DeleteEntries(DeleteEntries {
                owner: profile("ann"),
                msgbox,
                message_ids: vec![ids[0], sent_at(99)],
            })
        };
        let verdict = store.execute(20, delete(Msgbox::Sent));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
        assert_eq!(store.counts("ann"), (2, 2, 1));
        assert_eq!(store.counts("bob"), (2, 2, 0));
        assert!(store.messages.contains_key(&ids[0]));
        let verdict = store.execute(21, delete(Msgbox::Sent));
        assert_eq!(verdict, Ok(Outcome::Changed(0)));
        let verdict = store.execute(22, delete(Msgbox::Inbox));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
        assert_eq!(store.counts("ann"), (1, 1, 1));
        assert_eq!(store.tombstones.len(), 2);
    }
}
