//! Changes of rows that were not read because no footprint names them: a bug, after which the
//! batch must not be written.

use std::fmt;

use super::Ledger;
use crate::id::{MessageId, ProfileId};
use crate::message::Holders;

/// Row that was to be changed without having been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRead {
    /// A mailbox.
    Mailbox(ProfileId),
    /// The holders of a message, some or all.
    Holders(MessageId),
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Logs contain no profile ids.
            Self::Mailbox(_) => write!(f, "a change of a mailbox that was not read"),
            Self::Holders(message_id) => {
                write!(
                    f,
                    "a change of message {message_id}, whose holders were not read"
                )
            }
        }
    }
}

impl std::error::Error for NotRead {}

impl Ledger {
    /// Returns whether a mailbox was read; else the batch fails.
    pub(super) fn has_read(&mut self, owner: &ProfileId) -> bool {
        let was_read = self.rows.mailboxes.contains_key(owner);
        if !was_read {
            let not_read = NotRead::Mailbox(owner.clone());
            self.not_read.get_or_insert(not_read);
        }
        was_read
    }

    /// Returns whether all holders of a message were read; else the batch fails.
    pub(super) fn has_read_holders(&mut self, message_id: MessageId) -> bool {
        let was_read = self.holders.get(&message_id) == Some(&Holders::All);
        if !was_read {
            self.not_read.get_or_insert(NotRead::Holders(message_id));
        }
        was_read
    }
}
