//! The app deletes messages, from the boxes of all holders.

use super::deletion_part::DeletionPart;
use super::{Action, Apply, Footprint, Outcome, Weight};
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Deletes messages of any version, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteMessages(DeletionPart);

impl DeleteMessages {
    /// Deletes messages, which are distinct.
    #[must_use]
    pub fn new(message_ids: Vec<MessageId>) -> Self {
        Self(DeletionPart::first(message_ids))
    }

    /// Messages to delete.
    #[must_use]
    pub fn message_ids(&self) -> &[MessageId] {
        self.0.message_ids()
    }
}

impl Apply for DeleteMessages {
    /// Number of deleted messages.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        self.0.footprint()
    }

    fn weight(&self) -> Weight {
        self.0.weight()
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        Ok(self.0.apply(ledger, |_, _| true))
    }

    fn rest(&self, ledger: &Ledger, done: &Outcome) -> Option<Action> {
        let Outcome::Changed(deleted) = *done else {
            return None;
        };
        let rest = self.0.rest(ledger, deleted)?;
        Some(Self(rest).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryStore, from_app, from_user, sent_at};

    #[test]
    fn several_messages_are_deleted_and_unknown_ids_are_no_error() {
        let mut store = MemoryStore::default();
        let by_user = store.send(10, from_user("ann", ["bob"]));
        let by_app = store.send(11, from_app(["bob", "cid"]));
        let delete =
            Action::DeleteMessages(DeleteMessages::new(vec![by_user, sent_at(99), by_app]));
        assert_eq!(store.execute(20, delete.clone()), Ok(Outcome::Changed(2)));
        assert_eq!(store.counts("bob"), (0, 0, 0));
        assert_eq!(store.execute(21, delete), Ok(Outcome::Changed(0)));
    }
}
