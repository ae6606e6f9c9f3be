//! Old deletions of a mailbox are forgotten.

use std::collections::BTreeSet;

use super::Footprint;
use crate::id::ProfileId;
use crate::ledger::Ledger;

/// Forgets the deletions up to a number: who has seen less must read the boxes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trim {
    /// Whose.
    pub owner: ProfileId,
    /// The last number to forget.
    pub seq: i64,
}

impl Trim {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint {
            mailboxes: BTreeSet::from([self.owner.clone()]),
            ..Footprint::default()
        }
    }

    pub(super) fn apply(&self, ledger: &mut Ledger) {
        ledger.raise_floor(&self.owner, self.seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Msgbox;
    use crate::operation::{Action, Clear, Outcome};
    use crate::testing::{Shelf, from_user, profile};

    fn trim(seq: i64) -> Action {
        Action::Trim(Trim {
            owner: profile("bob"),
            seq,
        })
    }

    #[test]
    fn deletions_up_to_the_floor_go_and_it_never_falls() {
        let mut shelf = Shelf::default();
        for now in [10, 11, 12] {
            shelf.send(now, from_user("ann", ["bob"]));
        }
        let clear = Action::Clear(Clear {
            owner: profile("bob"),
            msgbox: Msgbox::Inbox,
        });
        assert_eq!(shelf.act(20, clear), Ok(Outcome::Changed(3)));
        for (seq, floor, left) in [(5, 5, 1), (4, 5, 1), (99, 6, 0)] {
            assert_eq!(shelf.act(30, trim(seq)), Ok(Outcome::Done));
            assert_eq!(shelf.mailbox("bob").floor_seq, floor);
            assert_eq!(shelf.tombstones.len(), left);
            assert_eq!(shelf.mailbox("bob").seq, 6);
        }
    }
}
