//! The app deletes one message, from the boxes of all holders.

use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, Footprint, Weight, update_message};
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::message::Holders;
use crate::refusal::Refusal;

/// Deletes one message of the expected version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteMessage {
    /// Message to delete.
    pub message_id: MessageId,
    /// Version that it must have; none: any.
    pub expected_version: Option<i64>,
}

impl Apply for DeleteMessage {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint::of_messages([self.message_id], Holders::All)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(HOLDERS_ESTIMATE)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        update_message::check_version(ledger, self.message_id, self.expected_version)?;
        ledger.remove_message(self.message_id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{MemoryStore, from_user};

    fn delete(message_id: MessageId, expected_version: Option<i64>) -> Action {
        Action::DeleteMessage(DeleteMessage {
            message_id,
            expected_version,
        })
    }

    #[test]
    fn a_message_is_deleted_in_the_expected_version_only() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("ann", ["bob"]));
        let mismatch = Refusal::VersionMismatch {
            expected: 2,
            current: 1,
        };
        assert_eq!(store.execute(20, delete(sent, Some(2))), Err(mismatch));
        assert_eq!(store.execute(20, delete(sent, Some(1))), Ok(Outcome::Done));
        assert!(store.messages.is_empty() && store.entries.is_empty());
        let again = store.execute(21, delete(sent, None));
        assert_eq!(again, Err(Refusal::NotFound));
    }
}
