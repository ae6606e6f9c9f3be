//! Usage of the app: what the batch adds to it, and whether a quota allows more.

use super::Ledger;
use super::tracked::Tracked;
use crate::id::ProfileId;
use crate::mailbox::Mailbox;
use crate::number::saturating;
use crate::policy::Policy;
use crate::quota::KeptQuota;
use crate::refusal::Refusal;
use crate::usage::{AppUsage, UsageState};

impl Ledger {
    /// Adds the usage of the app, as far as it was read.
    pub const fn read_usage(&mut self, usage: UsageState) {
        self.usage = usage;
    }

    /// Returns whether the usage of the app is counted.
    #[must_use]
    pub fn counts_usage(&self) -> bool {
        self.usage != UsageState::Uncounted
    }

    /// Returns whether the usage of the app is known.
    #[must_use]
    pub const fn has_usage(&self) -> bool {
        matches!(self.usage, UsageState::Known(_))
    }

    /// Notes that the batch has created a mailbox.
    pub fn read_created(&mut self) {
        self.count_usage(0, 1);
    }

    /// Adds to the usage, if it is counted.
    pub(super) fn count_usage(&mut self, bytes: i64, mailboxes: i64) {
        if self.counts_usage() {
            let usage = &mut self.direct_changes.usage;
            usage.bytes += bytes;
            usage.mailboxes += mailboxes;
        }
    }

    /// Returns whether nothing is in a mailbox, and its owner has never used it.
    #[must_use]
    pub fn is_abandoned(&self, owner: &ProfileId) -> bool {
        self.mailbox(owner).is_some_and(Mailbox::is_abandoned)
    }

    /// Checks that the app may keep more: so many bytes, and so many of the mailboxes that go with the
    /// batch because they are not used.
    ///
    /// # Errors
    /// [`Refusal::TooMuchKept`].
    pub fn check_usage(&self, policy: &Policy, more: AppUsage) -> Result<(), Refusal> {
        let UsageState::Known(before) = self.usage else {
            return Ok(());
        };
        let (quotas, changed) = (&policy.quotas, self.direct_changes.usage);
        let bytes = before.bytes + changed.bytes + more.bytes;
        if more.bytes > 0 && !quotas.app_may_keep(bytes) {
            return Err(Refusal::TooMuchKept(KeptQuota::AppKeptMib));
        }
        let mailboxes = || before.mailboxes + changed.mailboxes - self.unused() + more.mailboxes;
        if more.mailboxes > 0 && quotas.app_mailboxes > 0 && !quotas.app_may_have(mailboxes()) {
            return Err(Refusal::TooMuchKept(KeptQuota::AppMailboxes));
        }
        Ok(())
    }

    /// Returns whether the app may have one more mailbox.
    pub(super) fn may_keep_mailbox(&self) -> bool {
        let more = AppUsage {
            bytes: 0,
            mailboxes: 1,
        };
        !self.has_usage() || self.check_usage(&self.policy(), more).is_ok()
    }

    /// Number of mailboxes that go with the batch.
    fn unused(&self) -> i64 {
        let mailboxes = self.rows.mailboxes.values().filter_map(Tracked::current);
        let unused = mailboxes.filter(|mailbox| mailbox.is_abandoned());
        saturating(unused.count())
    }

    /// Has the usage counted from now on, if a quota asks for it and the app keeps more than before.
    pub(super) fn begin_usage(&mut self) {
        if self.counts_usage() || !self.rows.adds_messages() {
            return;
        }
        if self.policy().quotas.has_app_limits() {
            self.direct_changes.begins_usage = Some(self.now.ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Changes;
    use crate::operation::{Apply as _, DeleteMessage};
    use crate::testing::{MemoryStore, from_app, from_user};
    use crate::time::Millis;

    const fn usage(bytes: i64, mailboxes: i64) -> AppUsage {
        AppUsage { bytes, mailboxes }
    }

    #[test]
    fn a_quota_applies_to_the_sum_once_it_is_known() {
        let mut store = MemoryStore::of(["ann", "bob"]);
        store.policy.quotas.app_mailboxes = 3;
        store.policy.quotas.app_kept_mib = 1;
        let mut ledger = store.ledger(10);
        let policy = ledger.policy();
        for unknown in [UsageState::Uncounted, UsageState::Counted] {
            ledger.read_usage(unknown);
            assert_eq!(ledger.check_usage(&policy, usage(1 << 30, 9)), Ok(()));
        }
        ledger.read_usage(UsageState::Known(usage(1 << 19, 2)));
        let refused = |quota| Err(Refusal::TooMuchKept(quota));
        for (more, verdict) in [
            (usage(1 << 19, 1), Ok(())),
            (usage((1 << 19) + 1, 0), refused(KeptQuota::AppKeptMib)),
            (usage(0, 2), refused(KeptQuota::AppMailboxes)),
            (usage(-1, 0), Ok(())),
        ] {
            assert_eq!(ledger.check_usage(&policy, more), verdict, "{more:?}");
        }
    }

    fn changes(store: &MemoryStore, counted: UsageState) -> Changes {
        let mut ledger = store.ledger(50);
        ledger.read_usage(counted);
        from_app(["bob"]).apply(&mut ledger).expect("a message");
        ledger.into_changes().expect("all rows were read")
    }

    #[test]
    fn usage_is_counted_from_the_first_message_under_a_quota() {
        let mut store = MemoryStore::of(["ann", "bob"]);
        let begins = |store: &MemoryStore| changes(store, UsageState::Uncounted).begins_usage;
        assert_eq!(begins(&store), None);
        store.policy.quotas.app_mailboxes = 9;
        assert_eq!(begins(&store), Some(Millis(50)));
        let counted = changes(&store, UsageState::Counted);
        assert_eq!(counted.begins_usage, None);
        assert_eq!(counted.usage, usage(4, 0));
    }

    #[test]
    fn deletions_are_subtracted_from_the_usage() {
        let mut store = MemoryStore::of(["ann"]);
        let message_id = store.send(10, from_user("ann", ["x"]));
        let mut ledger = store.ledger(20);
        ledger.read_usage(UsageState::Counted);
        let deletion = DeleteMessage {
            message_id,
            expected_version: None,
        };
        deletion.apply(&mut ledger).expect("a deletion");
        let changes = ledger.into_changes().expect("all rows were read");
        assert_eq!(changes.usage, usage(-5, -1));
    }
}
