//! A user blocks a profile: from then on, neither gets messages of the other.

use std::collections::BTreeSet;

use super::{Apply, Footprint, Weight, create_mailbox};
use crate::id::ProfileId;
use crate::ledger::Ledger;
use crate::limits::BLOCKS_MAX;
use crate::refusal::Refusal;

/// Blocks a profile, which need not have a mailbox. Blocking again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockProfile {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Profile to block.
    pub profile_id: ProfileId,
}

impl Apply for BlockProfile {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint::of_block(&self.owner, &self.profile_id)
    }

    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        create_mailbox::check_new(ledger, &ledger.policy(), &self.owner)?;
        let is_full = ledger.blocks(&self.owner) >= i64::from(BLOCKS_MAX);
        if is_full && !ledger.has_block(&self.owner, &self.profile_id) {
            return Err(Refusal::TooManyBlocks);
        }
        ledger.add_block(&self.owner, &self.profile_id);
        Ok(())
    }
}

impl Footprint {
    /// Footprint of one block.
    pub(super) fn of_block(owner: &ProfileId, profile_id: &ProfileId) -> Self {
        Self {
            mailboxes: BTreeSet::from([owner.clone()]),
            blocks: vec![(owner.clone(), profile_id.clone())],
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::UnblockProfile;
    use crate::testing::{MemoryStore, from_app, from_user, profile, sent_at};

    fn block(owner: &str, other: &str) -> BlockProfile {
        BlockProfile {
            owner: profile(owner),
            profile_id: profile(other),
        }
    }

    fn unblock(owner: &str, other: &str) -> UnblockProfile {
        UnblockProfile {
            owner: profile(owner),
            profile_id: profile(other),
        }
    }

    fn done(store: &mut MemoryStore, action: impl Apply<Outcome = ()>) {
        store.execute(10, action).expect("a change");
    }

    #[test]
    fn a_block_counts_once_and_goes_once() {
        let mut store = MemoryStore::of(["bob"]);
        for _ in 0..2 {
            done(&mut store, block("bob", "eve"));
            assert_eq!(store.mailbox("bob").blocks, 1);
        }
        done(&mut store, block("bob", "Eve"));
        for _ in 0..2 {
            done(&mut store, unblock("bob", "eve"));
            assert_eq!(store.mailbox("bob").blocks, 1);
        }
        assert!(!store.mailboxes.contains_key(&profile("eve")));
        assert_eq!(store.mailbox("bob").seq, 0, "no change of the feed");
    }

    #[test]
    fn a_full_list_of_blocks_takes_none_but_those_it_has() {
        let mut store = MemoryStore::of(["bob"]);
        done(&mut store, block("bob", "eve"));
        let bob = store.mailboxes.get_mut(&profile("bob")).expect("a mailbox");
        bob.blocks = i64::from(BLOCKS_MAX);
        let refused = store.execute(10, block("bob", "ann"));
        assert_eq!(refused, Err(Refusal::TooManyBlocks));
        assert_eq!(store.execute(10, block("bob", "eve")), Ok(()));
    }

    /// Sends at a time, and returns what the sender is told.
    fn send<const N: usize>(
        store: &mut MemoryStore,
        now: i64,
        from: &str,
        to: [&str; N],
    ) -> Result<(u32, u32), Refusal> {
        let sent = store.execute(now, from_user(from, to))?;
        Ok((sent.requested, sent.actual))
    }

    #[test]
    fn neither_of_two_gets_messages_of_the_other_and_each_is_told_as_before() {
        let mut store = MemoryStore::of(["ann", "bob", "eve"]);
        assert_eq!(send(&mut store, 1, "eve", ["ann", "bob"]), Ok((2, 2)));
        done(&mut store, block("bob", "eve"));
        assert_eq!(send(&mut store, 2, "eve", ["ann", "bob"]), Ok((2, 2)));
        assert_eq!(send(&mut store, 3, "eve", ["bob"]), Ok((1, 1)));
        assert_eq!(send(&mut store, 4, "bob", ["ann", "eve"]), Ok((2, 2)));
        assert_eq!(store.messages[&sent_at(2)].to.len(), 2);
        assert_eq!(store.counts("bob"), (1, 1, 1));
        assert_eq!(store.counts("eve"), (0, 0, 3));
        assert_eq!(store.counts("ann"), (3, 3, 0));
        store.send(5, from_app(["bob"]));
        done(&mut store, unblock("bob", "eve"));
        assert_eq!(send(&mut store, 6, "eve", ["bob"]), Ok((1, 1)));
        assert_eq!(store.counts("bob"), (3, 3, 1));
    }

    #[test]
    fn a_full_inbox_is_told_before_a_block() {
        let mut store = MemoryStore::of(["ann", "bob", "eve"]);
        (
            store.policy.max_box_messages,
            store.policy.app_reserve_percent,
        ) = (1, 0);
        done(&mut store, block("bob", "eve"));
        assert_eq!(send(&mut store, 1, "eve", ["bob"]), Ok((1, 1)));
        store.send(2, from_app(["bob"]));
        assert_eq!(send(&mut store, 3, "eve", ["bob"]), Err(Refusal::BoxFull));
        assert_eq!(send(&mut store, 4, "eve", ["ann", "bob"]), Ok((2, 1)));
    }

    #[test]
    fn a_block_of_the_same_batch_counts() {
        let mut store = MemoryStore::of(["bob", "eve"]);
        let mut ledger = store.ledger(10);
        block("bob", "eve").apply(&mut ledger).expect("a block");
        from_user("eve", ["bob"])
            .apply(&mut ledger)
            .expect("a message");
        store.write(ledger);
        assert_eq!(store.counts("bob"), (0, 0, 0));
    }
}
