//! The app erases a profile.

use super::{Apply, Footprint, Weight};
use crate::audit::AuditId;
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;
use crate::revocation::Revocation;

/// Starts the erasure of a profile, and revokes its tokens. A job does the rest; one that is under
/// way, or done, starts again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseProfile {
    /// The profile.
    pub profile_id: ProfileId,
}

impl Apply for EraseProfile {
    /// The revocation of the profile's tokens.
    type Outcome = Revocation;

    fn footprint(&self) -> Footprint {
        Footprint::of_app()
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn audited_ids(&self) -> Vec<AuditId> {
        vec![AuditId::Profile(self.profile_id.clone())]
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<Revocation, Refusal> {
        Ok(ledger.erase_profile(self.profile_id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryStore, profile};
    use crate::time::Millis;

    #[test]
    fn an_erasure_is_a_numbered_revocation_that_the_audit_log_records() {
        let mut store = MemoryStore::default();
        let erasure = EraseProfile {
            profile_id: profile("ann"),
        };
        let ids = erasure.audited_ids();
        assert_eq!(ids, [AuditId::Profile(profile("ann"))]);
        for number in [1, 2] {
            let revocation = store.execute(10, erasure.clone()).expect("an erasure");
            assert_eq!((revocation.number, revocation.before), (number, Millis(10)));
        }
    }
}
