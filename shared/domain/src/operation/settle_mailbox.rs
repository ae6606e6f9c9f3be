//! A mailbox takes all that is due: expired entries go, messages to everyone arrive.

use std::collections::BTreeSet;

use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, Footprint, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::limits::PART_ENTRIES;
use crate::refusal::Refusal;

/// Settles a mailbox. Every batch settles the mailboxes of its footprints, so nothing is left
/// to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettleMailbox {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Number of expired entries, as far as it is known in advance.
    pub expired: usize,
}

impl From<ProfileId> for SettleMailbox {
    fn from(owner: ProfileId) -> Self {
        Self { owner, expired: 0 }
    }
}

impl Apply for SettleMailbox {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint {
            mailboxes: BTreeSet::from([self.owner.clone()]),
            ..Footprint::default()
        }
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.expired.clamp(HOLDERS_ESTIMATE, 2 * PART_ENTRIES))
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    /// None: the sweep settles mailboxes, too.
    fn caller(&self) -> Option<&ProfileId> {
        None
    }

    fn apply(&self, _: &mut Ledger) -> Result<(), Refusal> {
        Ok(())
    }
}
