//! An owner marks entries as read or unread.

use super::{Apply, EntryRange, Footprint, Weight};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::refusal::Refusal;

/// Marks entries of one box. In `sent` nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkMessagesRead {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Box of the entries.
    pub msgbox: Msgbox,
    /// Messages of the entries, distinct.
    pub message_ids: Vec<MessageId>,
    /// True to mark as read, false as unread.
    pub read: bool,
}

impl Apply for MarkMessagesRead {
    /// Number of the named entries that exist: all of them have the wanted state now.
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
            ledger.mark_entry(&self.owner, self.msgbox, message_id, self.read);
            actual += u32::from(ledger.entry(&self.owner, self.msgbox, message_id).is_some());
        }
        Ok(actual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{MemoryStore, from_user, profile, sent_at};
    use crate::time::Millis;

    fn mark<const N: usize>(msgbox: Msgbox, message_ids: [MessageId; N], read: bool) -> Action {
        Action::MarkMessagesRead(MarkMessagesRead {
            owner: profile("bob"),
            msgbox,
            message_ids: message_ids.into(),
            read,
        })
    }

    fn store() -> (MemoryStore, [MessageId; 2]) {
        let mut store = MemoryStore::default();
        let ids = [10, 11].map(|now| store.send(now, from_user("ann", ["bob"])));
        (store, ids)
    }

    #[test]
    fn existing_entries_are_marked_and_missing_ones_are_no_error() {
        let (mut store, [one, two]) = store();
        let action = mark(Msgbox::Inbox, [sent_at(99), one, two], true);
        assert_eq!(store.execute(20, action), Ok(Outcome::Changed(2)));
        assert_eq!(store.counts("bob"), (2, 0, 0));
        let unread = mark(Msgbox::Inbox, [two], false);
        assert_eq!(store.execute(30, unread), Ok(Outcome::Changed(1)));
        assert_eq!(store.counts("bob"), (2, 1, 0));
        let entry = store.entry("bob", Msgbox::Inbox, two).expect("an entry");
        assert_eq!((entry.read_ms, entry.version), (None, 3));
    }

    #[test]
    fn marking_again_keeps_the_version_and_the_first_time() {
        let (mut store, [one, _]) = store();
        for now in [20, 30] {
            let action = mark(Msgbox::Inbox, [one], true);
            assert_eq!(store.execute(now, action), Ok(Outcome::Changed(1)));
        }
        let entry = store.entry("bob", Msgbox::Inbox, one).expect("an entry");
        assert_eq!((entry.read_ms, entry.version), (Some(Millis(20)), 2));
    }

    #[test]
    fn in_sent_it_is_accepted_and_changes_nothing() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("bob", ["ann"]));
        let action = mark(Msgbox::Sent, [sent], true);
        assert_eq!(store.execute(20, action), Ok(Outcome::Changed(1)));
        let entry = store.entry("bob", Msgbox::Sent, sent).expect("an entry");
        assert_eq!((entry.read_ms, entry.version), (None, 1));
    }

    #[test]
    fn other_boxes_and_other_owners_are_not_touched() {
        let (mut store, [one, _]) = store();
        let action = mark(Msgbox::Sent, [one], true);
        assert_eq!(store.execute(20, action), Ok(Outcome::Changed(0)));
        assert_eq!(store.counts("bob"), (2, 2, 0));
    }
}
