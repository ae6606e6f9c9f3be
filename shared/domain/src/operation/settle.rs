//! A mailbox takes what is due: what has expired goes, what was sent to everyone comes.

use std::collections::BTreeSet;

use super::Footprint;
use crate::id::ProfileId;

/// Settles a mailbox. To see it is to settle it, whatever else is done to it, so there is
/// nothing to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// Whose.
    pub owner: ProfileId,
    /// Entries that have expired, as far as that is known before.
    pub expired: usize,
}

impl From<ProfileId> for Settle {
    fn from(owner: ProfileId) -> Self {
        Self { owner, expired: 0 }
    }
}

impl Settle {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint {
            mailboxes: BTreeSet::from([self.owner.clone()]),
            ..Footprint::default()
        }
    }
}
