//! The app deletes messages, from the boxes of all holders.

use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, Footprint, Weight};
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::message::Holders;
use crate::refusal::Refusal;

/// Deletes messages of any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteMessages {
    /// Messages to delete, distinct.
    pub message_ids: Vec<MessageId>,
}

impl Apply for DeleteMessages {
    /// Number of deleted messages.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        Footprint::of_messages(self.message_ids.iter().copied(), Holders::All)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.message_ids.len() * HOLDERS_ESTIMATE)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let mut actual = 0;
        for &message_id in &self.message_ids {
            actual += u32::from(ledger.remove_message(message_id));
        }
        Ok(actual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{MemoryStore, from_app, from_user, sent_at};

    #[test]
    fn several_messages_are_deleted_and_unknown_ids_are_no_error() {
        let mut store = MemoryStore::default();
        let by_user = store.send(10, from_user("ann", ["bob"]));
        let by_app = store.send(11, from_app(["bob", "cid"]));
        let delete = Action::DeleteMessages(DeleteMessages {
            message_ids: vec![by_user, sent_at(99), by_app],
        });
        assert_eq!(store.execute(20, delete.clone()), Ok(Outcome::Changed(2)));
        assert_eq!(store.counts("bob"), (0, 0, 0));
        assert_eq!(store.execute(21, delete), Ok(Outcome::Changed(0)));
    }
}
