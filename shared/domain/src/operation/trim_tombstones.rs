//! A mailbox forgets old deletions.

use std::collections::BTreeSet;

use super::{Apply, Footprint, Weight};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Raises the floor of a mailbox, and deletes its tombstones up to there. Cursors below the
/// floor are invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrimTombstones {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// The new floor: seq of the last tombstone to delete.
    pub seq: i64,
}

impl Apply for TrimTombstones {
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

    fn lane_key(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        ledger.raise_floor(&self.owner, self.seq);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Msgbox;
    use crate::operation::{Action, ClearMessages, Outcome};
    use crate::testing::{MemoryStore, from_user, profile};

    fn trim(seq: i64) -> Action {
        Action::TrimTombstones(TrimTombstones {
            owner: profile("bob"),
            seq,
        })
    }

    #[test]
    fn deletions_up_to_the_floor_go_and_it_never_falls() {
        let mut store = MemoryStore::default();
        for now in [10, 11, 12] {
            store.send(now, from_user("ann", ["bob"]));
        }
        let clear = Action::ClearMessages(ClearMessages::new(profile("bob"), Msgbox::Inbox));
        assert_eq!(store.execute(20, clear), Ok(Outcome::Changed(3)));
        for (seq, floor, left) in [(5, 5, 1), (4, 5, 1), (99, 6, 0)] {
            assert_eq!(store.execute(30, trim(seq)), Ok(Outcome::Done));
            assert_eq!(store.mailbox("bob").floor_seq, floor);
            assert_eq!(store.tombstones.len(), left);
            assert_eq!(store.mailbox("bob").seq, 6);
        }
    }
}
