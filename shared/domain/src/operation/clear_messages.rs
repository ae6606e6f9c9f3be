//! An owner deletes all own entries of a box.

use super::{Action, Apply, EntryRange, Footprint, Outcome, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::limits::PART_ENTRIES;
use crate::mailbox::Msgbox;
use crate::refusal::Refusal;

/// Empties one box, in parts: each deletes the oldest entries. What arrives after the first part
/// stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearMessages {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Box to empty.
    pub msgbox: Msgbox,
    /// Last change of the mailbox at the first part; entries that were created later stay.
    until_seq: i64,
    /// Number of entries that the parts before this one have deleted.
    deleted: u32,
}

impl ClearMessages {
    /// Empties a box.
    #[must_use]
    pub const fn new(owner: ProfileId, msgbox: Msgbox) -> Self {
        Self {
            owner,
            msgbox,
            until_seq: i64::MAX,
            deleted: 0,
        }
    }
}

impl Apply for ClearMessages {
    /// Number of deleted entries, by all parts so far.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        Footprint::of_owner(
            &self.owner,
            EntryRange::Part(self.owner.clone(), self.msgbox, self.until_seq),
        )
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(PART_ENTRIES)
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let mut deleted = self.deleted;
        for message_id in ledger.messages_in(&self.owner, self.msgbox) {
            let entry = ledger.entry(&self.owner, self.msgbox, message_id);
            if entry.is_some_and(|entry| entry.create_seq <= self.until_seq) {
                let is_deleted = ledger.remove_entry(&self.owner, self.msgbox, message_id);
                deleted += u32::from(is_deleted);
            }
        }
        Ok(deleted)
    }

    fn rest(&self, ledger: &Ledger, done: &Outcome) -> Option<Action> {
        let Outcome::Changed(deleted) = *done else {
            return None;
        };
        let mailbox = ledger.mailbox(&self.owner)?;
        let rest = Self {
            until_seq: self.until_seq.min(mailbox.seq),
            deleted,
            ..self.clone()
        };
        ledger
            .has_more(&self.owner, self.msgbox)
            .then(|| rest.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryStore, from_user, profile};

    #[test]
    fn one_box_of_one_owner_is_emptied() {
        let mut store = MemoryStore::default();
        for now in [10, 11, 12] {
            store.send(now, from_user("ann", ["ann", "bob"]));
        }
        let clear = Action::from(ClearMessages::new(profile("ann"), Msgbox::Inbox));
        assert_eq!(store.execute(20, clear.clone()), Ok(Outcome::Changed(3)));
        assert_eq!(store.counts("ann"), (0, 0, 3));
        assert_eq!(store.counts("bob"), (3, 3, 0));
        assert_eq!(store.execute(21, clear), Ok(Outcome::Changed(0)));
    }

    #[test]
    fn a_box_that_was_read_in_part_has_a_rest_without_later_arrivals() {
        let mut store = MemoryStore::of(["ann", "bob"]);
        for now in [10, 11, 12] {
            store.send(now, from_user("ann", ["bob"]));
        }
        let clear = ClearMessages::new(profile("bob"), Msgbox::Inbox);
        let mut ledger = store.ledger(20);
        let mailbox_id = ledger
            .mailbox(&profile("bob"))
            .expect("a mailbox")
            .mailbox_id;
        ledger.read_part(mailbox_id, Msgbox::Inbox);
        assert_eq!(clear.apply(&mut ledger), Ok(3));
        let rest = clear.rest(&ledger, &Outcome::Changed(3));
        store.write(ledger);
        store.send(30, from_user("ann", ["bob"]));
        let rest = rest.expect("a rest");
        assert_eq!(store.execute(40, rest), Ok(Outcome::Changed(3)));
        assert_eq!(store.counts("bob"), (1, 1, 0));
    }
}
