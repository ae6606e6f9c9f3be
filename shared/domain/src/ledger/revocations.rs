//! Revocations of tokens and erasures in a ledger.

use super::Ledger;
use crate::erasure::AppErasure;
use crate::id::ProfileId;
use crate::limits::APP_ERASURE_DELAY_MS;
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
        let revocation = self.next_revocation(before);
        let revocations = &mut self.direct_changes.revocations;
        let latest = revocations.entry(profile_id).or_insert(revocation);
        latest.before = latest.before.max(before);
        latest.number = revocation.number;
        revocation
    }

    /// Starts the erasure of a profile, and revokes its tokens that were issued until now.
    pub fn erase_profile(&mut self, profile_id: ProfileId) -> Revocation {
        let revocation = self.next_revocation(self.now());
        self.direct_changes.erasures.insert(profile_id, revocation);
        revocation
    }

    /// Schedules the erasure of the app, or withdraws it.
    pub fn schedule_app_erasure(&mut self, cancel: bool) -> AppErasure {
        let at = (!cancel).then(|| self.now().after(APP_ERASURE_DELAY_MS));
        let erasure = AppErasure { at };
        self.direct_changes.app_erasure = Some(erasure);
        erasure
    }

    const fn next_revocation(&mut self, before: Millis) -> Revocation {
        self.last_revocation += 1;
        Revocation {
            before,
            number: self.last_revocation,
        }
    }
}
