//! A profile calls for the first time: it gets an empty mailbox, or takes over the one that others
//! have filled.

use std::collections::BTreeSet;

use super::{Apply, Footprint, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::usage::AppUsage;

/// Creates a mailbox, unless there is one, and notes that its owner uses it. The store does both for
/// the caller of an operation, so that only the app's quota is left to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateMailbox {
    /// Owner of the mailbox.
    pub owner: ProfileId,
}

impl Apply for CreateMailbox {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint {
            mailboxes: BTreeSet::from([self.owner.clone()]),
            ..Footprint::default()
        }
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        check_new(ledger, &ledger.policy(), &self.owner)
    }
}

/// Checks that the app may have a mailbox, if that is new.
///
/// # Errors
/// [`Refusal::TooMuchKept`].
pub(super) fn check_new(
    ledger: &Ledger,
    policy: &Policy,
    owner: &ProfileId,
) -> Result<(), Refusal> {
    let more = AppUsage {
        bytes: 0,
        mailboxes: i64::from(ledger.is_abandoned(owner)),
    };
    ledger.check_usage(policy, more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{MemoryStore, profile};

    #[test]
    fn a_mailbox_begins_empty_and_beginning_again_changes_nothing() {
        let mut store = MemoryStore::default();
        for now in [10, 20] {
            let open = Action::CreateMailbox(CreateMailbox {
                owner: profile("ann"),
            });
            assert_eq!(store.execute(now, open), Ok(Outcome::Done));
            assert_eq!(store.counts("ann"), (0, 0, 0));
            assert_eq!(store.mailbox("ann").seq, 0);
        }
    }
}
