//! A user's own record of a message in one of the user's boxes.

use crate::id::MessageId;
use crate::mailbox::Msgbox;
use crate::time::Millis;

/// Entry: one message in one box of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The box.
    pub msgbox: Msgbox,
    /// The message.
    pub message_id: MessageId,
    /// The number of its last change in its mailbox.
    pub seq: i64,
    /// The number with which it came.
    pub create_seq: i64,
    /// Time of creation.
    pub create_ms: Millis,
    /// Time of the last change.
    pub update_ms: Millis,
    /// From 1; grows with every visible change.
    pub version: i64,
    /// The version of the message's content that it shows.
    pub content_version: i64,
    /// Time of the first read since it was last unread; none: unread, or in `sent`.
    pub read_ms: Option<Millis>,
    /// Time of the first delivery to its owner.
    pub delivered_ms: Option<Millis>,
    /// Expiry of the entry.
    pub expire_ms: Millis,
    /// Mailbox of the sender, if the inbox had many unread entries when it came.
    pub sender_id: Option<i64>,
}

impl Entry {
    /// Returns true if the entry counts as unread.
    #[must_use]
    pub const fn is_unread(&self) -> bool {
        matches!(self.msgbox, Msgbox::Inbox) && self.read_ms.is_none()
    }
}
