//! Blocks of a ledger. The number of blocks of a mailbox says whether there is one to read: a
//! block that was not read then does not exist.

use super::Ledger;
use super::tracked::Tracked;
use crate::block::Block;
use crate::id::ProfileId;
use crate::mailbox::Mailbox;

impl Ledger {
    /// Adds a block that was read.
    pub fn read_block(&mut self, mailbox_id: i64, block: Block) {
        let key = (mailbox_id, block.profile_id.clone());
        self.rows.blocks.insert(key, Tracked::read(block));
    }

    /// Returns whether one of two profiles blocks the other: neither gets messages of the other.
    #[must_use]
    pub fn is_blocked_between(&self, one: &ProfileId, other: &ProfileId) -> bool {
        self.has_block(one, other) || self.has_block(other, one)
    }

    /// Returns whether the owner of a mailbox blocks a profile.
    #[must_use]
    pub fn has_block(&self, owner: &ProfileId, profile_id: &ProfileId) -> bool {
        let Some(mailbox) = self.mailbox(owner).filter(|mailbox| mailbox.blocks > 0) else {
            return false;
        };
        let key = (mailbox.mailbox_id, profile_id.clone());
        let block = self.rows.blocks.get(&key);
        block.is_some_and(|block| block.current().is_some())
    }

    /// Number of blocks of a mailbox.
    #[must_use]
    pub fn blocks(&self, owner: &ProfileId) -> i64 {
        self.mailbox(owner).map_or(0, |mailbox| mailbox.blocks)
    }

    /// Adds a block. False if there is one.
    pub fn add_block(&mut self, owner: &ProfileId, profile_id: &ProfileId) -> bool {
        if !self.has_read(owner) || self.has_block(owner, profile_id) {
            return false;
        }
        let block = Block {
            profile_id: profile_id.clone(),
            create_ms: self.now(),
        };
        let Some(mailbox_id) = self.count_blocks(owner, 1) else {
            return false;
        };
        let key = (mailbox_id, profile_id.clone());
        match self.rows.blocks.get_mut(&key) {
            Some(row) => row.set(block),
            None => {
                self.rows.blocks.insert(key, Tracked::new(block));
            }
        }
        true
    }

    /// Removes a block. False if there is none.
    pub fn remove_block(&mut self, owner: &ProfileId, profile_id: &ProfileId) -> bool {
        if !self.has_read(owner) || !self.has_block(owner, profile_id) {
            return false;
        }
        let Some(mailbox_id) = self.count_blocks(owner, -1) else {
            return false;
        };
        let row = self.rows.blocks.get_mut(&(mailbox_id, profile_id.clone()));
        row.map(Tracked::clear).is_some()
    }

    /// Counts blocks of a mailbox, and returns the number of the mailbox. They are no part of the
    /// feed.
    fn count_blocks(&mut self, owner: &ProfileId, by: i64) -> Option<i64> {
        let mailbox: &mut Mailbox = self.rows.mailboxes.get_mut(owner)?.change()?;
        mailbox.blocks += by;
        Some(mailbox.mailbox_id)
    }
}
