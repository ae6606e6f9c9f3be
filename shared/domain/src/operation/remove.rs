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
