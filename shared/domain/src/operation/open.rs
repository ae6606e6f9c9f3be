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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{Shelf, profile};

    #[test]
    fn a_mailbox_begins_empty_and_beginning_again_changes_nothing() {
        let mut shelf = Shelf::default();
        for now in [10, 20] {
            let open = Action::Open(Open {
                owner: profile("ann"),
            });
            assert_eq!(shelf.act(now, open), Ok(Outcome::Done));
            assert_eq!(shelf.counts("ann"), (0, 0, 0));
            assert_eq!(shelf.mailbox("ann").seq, 0);
        }
    }
}
