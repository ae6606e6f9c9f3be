//! The app's own server has read contents. The change is the record of it.

use super::{Apply, Footprint, Weight};
use crate::audit::AuditId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Records a read of contents in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRead {
    /// Ids that were read.
    pub ids: Vec<AuditId>,
    /// Number of messages that were shown.
    pub messages: u32,
}

impl Apply for RecordRead {
    /// Number of messages that were shown.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        Footprint::default()
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(1)
    }

    fn audited_ids(&self) -> Vec<AuditId> {
        self.ids.clone()
    }

    fn apply(&self, _: &mut Ledger) -> Result<u32, Refusal> {
        Ok(self.messages)
    }
}
