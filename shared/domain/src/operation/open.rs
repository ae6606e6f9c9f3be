//! A profile comes for the first time: its mailbox begins.

use std::collections::BTreeSet;

use super::Footprint;
use crate::id::ProfileId;

/// Begins a mailbox. To see it is to begin it, so there is nothing to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Whose.
    pub owner: ProfileId,
}

impl Open {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint {
            mailboxes: BTreeSet::from([self.owner.clone()]),
            ..Footprint::default()
        }
    }
}
