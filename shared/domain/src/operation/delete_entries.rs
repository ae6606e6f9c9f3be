//! An owner deletes own entries; other holders keep theirs.

use super::{Action, Apply, Footprint, NamedEntries, Outcome, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Deletes entries of one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteEntries(pub NamedEntries);

impl Apply for DeleteEntries {
    /// Number of deleted entries.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        self.0.footprint()
    }

    fn weight(&self) -> Weight {
        self.0.weight()
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.0.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let NamedEntries { owner, msgbox, .. } = &self.0;
        Ok(self.0.apply(|it| ledger.remove_entry(owner, *msgbox, it)))
    }

    fn rest(&self, _ledger: &Ledger, done: &Outcome) -> Option<Action> {
        let Outcome::Changed(deleted) = *done else {
            return None;
        };
        Some(Self(self.0.rest(deleted)?).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Msgbox;
    use crate::testing::{MemoryStore, from_user, profile, sent_at};

    #[test]
    fn only_the_named_own_entries_go_and_are_counted_once() {
        let mut store = MemoryStore::default();
        let ids = [10, 11].map(|now| store.send(now, from_user("ann", ["ann", "bob"])));
        let delete = |msgbox| {
            let message_ids = vec![ids[0], sent_at(99)];
            let entries = NamedEntries::new(profile("ann"), msgbox, message_ids);
            Action::DeleteEntries(DeleteEntries(entries))
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
