//! The app deletes messages, from everyone's boxes.

use super::{Footprint, update};
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Deletes one message, if it has the expected version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveOne {
    /// Which message.
    pub message_id: MessageId,
    /// The version that the caller knows; none: whatever is the latest.
    pub expected_version: Option<i64>,
}

impl RemoveOne {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::of_messages([self.message_id])
    }

    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        update::check_version(ledger, self.message_id, self.expected_version)?;
        ledger.remove_message(self.message_id);
        Ok(())
    }
}

/// Deletes messages, whatever their version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remove {
    /// Which, each once.
    pub message_ids: Vec<MessageId>,
}

impl Remove {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::of_messages(self.message_ids.iter().copied())
    }

    /// How many messages this removed.
    pub(super) fn apply(&self, ledger: &mut Ledger) -> u32 {
        let mut actual = 0;
        for &message_id in &self.message_ids {
            actual += u32::from(ledger.remove_message(message_id));
        }
        actual
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{Shelf, from_app, from_user, sent_at};

    fn remove_one(message_id: MessageId, expected_version: Option<i64>) -> Action {
        Action::RemoveOne(RemoveOne {
            message_id,
            expected_version,
        })
    }

    #[test]
    fn one_message_goes_if_it_has_the_expected_version() {
        let mut shelf = Shelf::default();
        let sent = shelf.send(10, from_user("ann", ["bob"]));
        let mismatch = Refusal::VersionMismatch {
            expected: 2,
            current: 1,
        };
        assert_eq!(shelf.act(20, remove_one(sent, Some(2))), Err(mismatch));
        assert_eq!(shelf.act(20, remove_one(sent, Some(1))), Ok(Outcome::Done));
        assert!(shelf.messages.is_empty() && shelf.entries.is_empty());
        let again = shelf.act(21, remove_one(sent, None));
        assert_eq!(again, Err(Refusal::NotFound));
    }

    #[test]
    fn several_go_and_unknown_ones_are_no_error() {
        let mut shelf = Shelf::default();
        let by_user = shelf.send(10, from_user("ann", ["bob"]));
        let by_app = shelf.send(11, from_app(["bob", "cid"]));
        let remove = Action::Remove(Remove {
            message_ids: vec![by_user, sent_at(99), by_app],
        });
        assert_eq!(shelf.act(20, remove.clone()), Ok(Outcome::Changed(2)));
        assert_eq!(shelf.counts("bob"), (0, 0, 0));
        assert_eq!(shelf.act(21, remove), Ok(Outcome::Changed(0)));
    }
}
