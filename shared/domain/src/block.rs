//! Blocks: profiles with which the owner of a mailbox exchanges no messages.

use crate::id::ProfileId;
use crate::time::Millis;

/// A block of a profile, by the owner of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Profile that is blocked. It may have no mailbox.
    pub profile_id: ProfileId,
    /// Time of the block.
    pub create_ms: Millis,
}
