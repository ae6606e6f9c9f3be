//! The app revokes the tokens of a profile.

use super::{Apply, Footprint, Weight};
use crate::audit::AuditId;
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;
use crate::revocation::Revocation;
use crate::time::Millis;

/// Revokes the tokens of a profile that were issued before a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokeTokens {
    /// Profile of the tokens.
    pub profile_id: ProfileId,
    /// Time before which they were issued; none, or a later one: now.
    pub before: Option<Millis>,
}

impl Apply for RevokeTokens {
    /// The revocation. One of a later time stays in force.
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
        let now = ledger.now();
        let before = self.before.map_or(now, |before| before.min(now));
        Ok(ledger.revoke_tokens(self.profile_id.clone(), before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::is_revoked;
    use crate::testing::{MemoryStore, profile};

    fn revoke(store: &mut MemoryStore, now: i64, before: Option<i64>) -> Revocation {
        let revocation = RevokeTokens {
            profile_id: profile("ann"),
            before: before.map(Millis),
        };
        store.execute(now, revocation).expect("a revocation")
    }

    #[test]
    fn revocations_are_numbered_and_none_is_of_the_future() {
        let mut store = MemoryStore::default();
        let seen = [None, Some(5), Some(99)].map(|before| {
            let revocation = revoke(&mut store, 10, before);
            (revocation.number, revocation.before)
        });
        assert_eq!(seen, [(1, Millis(10)), (2, Millis(5)), (3, Millis(10))]);
    }

    #[test]
    fn the_audit_log_names_the_profile() {
        let revocation = RevokeTokens {
            profile_id: profile("ann"),
            before: None,
        };
        let ids = revocation.audited_ids();
        assert_eq!(ids, [AuditId::Profile(profile("ann"))]);
    }

    #[test]
    fn a_token_without_a_time_of_issue_is_revoked() {
        let before = Millis(10);
        assert!(is_revoked(None, before));
        assert!(is_revoked(Some(Millis(9)), before));
        assert!(!is_revoked(Some(before), before));
    }
}
