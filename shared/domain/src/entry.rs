//! A user's own record of a message in one of the user's boxes.

use crate::id::MessageId;
use crate::mailbox::Msgbox;
use crate::time::Millis;

/// One message in one box of one mailbox.
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
    /// When it came.
    pub create_ms: Millis,
    /// When it last changed.
    pub update_ms: Millis,
    /// From 1; grows with every visible change.
    pub version: i64,
    /// The version of the message's content that it shows.
    pub content_version: i64,
    /// When it was read first since it was last unread; none: unread, or in `sent`.
    pub read_ms: Option<Millis>,
    /// When it was handed to its owner first.
    pub delivered_ms: Option<Millis>,
    /// When it vanishes.
    pub expire_ms: Millis,
}

impl Entry {
    /// Whether the owner still has to read it.
    #[must_use]
    pub const fn is_unread(&self) -> bool {
        matches!(self.msgbox, Msgbox::Inbox) && self.read_ms.is_none()
    }
}
