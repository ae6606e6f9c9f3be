//! A user unblocks a profile.

use super::{Apply, Footprint, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Unblocks a profile. One that is not blocked stays so. What was not delivered does not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnblockProfile {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Profile to unblock.
    pub profile_id: ProfileId,
}

impl Apply for UnblockProfile {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint::of_block(&self.owner, &self.profile_id)
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        ledger.remove_block(&self.owner, &self.profile_id);
        Ok(())
    }
}
