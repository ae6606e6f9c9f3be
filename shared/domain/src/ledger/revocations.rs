//! Revocations of tokens in a ledger.

use super::Ledger;
use crate::id::ProfileId;
use crate::revocation::Revocation;
use crate::time::Millis;

impl Ledger {
    /// Sets the number of the app's last revocation.
    #[must_use]
    pub const fn with_last_revocation(mut self, number: i64) -> Self {
        self.last_revocation = number;
        self
    }

    /// Revokes the tokens of a profile that were issued before a time.
    pub fn revoke_tokens(&mut self, profile_id: ProfileId, before: Millis) -> Revocation {
        self.last_revocation += 1;
        let revocation = Revocation {
            before,
            number: self.last_revocation,
        };
        let revocations = &mut self.direct_changes.revocations;
        let latest = revocations.entry(profile_id).or_insert(revocation);
        latest.before = latest.before.max(before);
        latest.number = revocation.number;
        revocation
    }
}
