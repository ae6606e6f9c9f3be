//! An owner marks entries as read or unread.

use super::{Action, Apply, Footprint, NamedEntries, Outcome, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Marks entries of one box. In `sent` nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkMessagesRead {
    /// Entries to mark.
    pub entries: NamedEntries,
    /// True to mark as read, false as unread.
    pub read: bool,
}

impl Apply for MarkMessagesRead {
    /// Number of the named entries that exist: all of them have the wanted state now.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        Footprint {
            new_unread: if self.read {
                0
            } else {
                self.entries.weight().entries
            },
            ..self.entries.footprint()
        }
    }

    fn weight(&self) -> Weight {
        self.entries.weight()
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.entries.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let (owner, msgbox) = (&self.entries.owner, self.entries.msgbox);
        Ok(self.entries.apply(|message_id| {
            ledger.mark_entry(owner, msgbox, message_id, self.read);
            ledger.entry(owner, msgbox, message_id).is_some()
        }))
    }

    fn rest(&self, _ledger: &Ledger, done: &Outcome) -> Option<Action> {
        let Outcome::Changed(marked) = *done else {
            return None;
        };
        let entries = self.entries.rest(marked)?;
        Some(Self { entries, ..*self }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;
    use crate::mailbox::Msgbox;
    use crate::testing::{MemoryStore, from_user, profile, sent_at};
    use crate::time::Millis;

    fn mark<const N: usize>(msgbox: Msgbox, message_ids: [MessageId; N], read: bool) -> Action {
        Action::MarkMessagesRead(MarkMessagesRead {
            entries: NamedEntries::new(profile("bob"), msgbox, message_ids.into()),
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
