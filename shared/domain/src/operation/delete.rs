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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{Shelf, from_user, profile, sent_at};

    #[test]
    fn only_the_named_own_entries_go_and_are_counted_once() {
        let mut shelf = Shelf::default();
        let ids = [10, 11].map(|now| shelf.send(now, from_user("ann", ["ann", "bob"])));
        let delete = |msgbox| {
            Action::Delete(Delete {
                owner: profile("ann"),
                msgbox,
                message_ids: vec![ids[0], sent_at(99)],
            })
        };
        let verdict = shelf.act(20, delete(Msgbox::Sent));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
        assert_eq!(shelf.counts("ann"), (2, 2, 1));
        assert_eq!(shelf.counts("bob"), (2, 2, 0));
        assert!(shelf.messages.contains_key(&ids[0]));
        let verdict = shelf.act(21, delete(Msgbox::Sent));
        assert_eq!(verdict, Ok(Outcome::Changed(0)));
        let verdict = shelf.act(22, delete(Msgbox::Inbox));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
        assert_eq!(shelf.counts("ann"), (1, 1, 1));
        assert_eq!(shelf.tombstones.len(), 2);
    }
}
