//! Bulk messages: messages to everyone. Sending one writes one row; every mailbox takes it when
//! it is next settled.

use crate::id::MessageId;
use crate::time::Millis;

/// Audience of a bulk message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Mailboxes that exist when it is sent.
    Existing,
    /// Also mailboxes that are created before it expires.
    Everyone,
}

impl Audience {
    const ALL: [Self; 2] = [Self::Existing, Self::Everyone];

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Existing => 0,
            Self::Everyone => 1,
        }
    }

    /// The audience of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|audience| audience.code() == code)
    }
}

/// Change of a message, as its holders see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageChange {
    /// The message was sent.
    Sent,
    /// The content was replaced.
    Updated,
    /// The app deleted the message.
    Recalled,
}

impl MessageChange {
    const ALL: [Self; 3] = [Self::Sent, Self::Updated, Self::Recalled];

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Sent => 0,
            Self::Updated => 1,
            Self::Recalled => 2,
        }
    }

    /// The change of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.code() == code)
    }
}

/// Numbered event of an app, which each of its mailboxes applies once, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkEvent {
    /// Number in the app, from 1.
    pub bulk_no: i64,
    /// Change of the message.
    pub change: MessageChange,
    /// The changed message.
    pub message_id: MessageId,
    /// Audience of the message.
    pub audience: Audience,
    /// Expiry of the message.
    pub expire_ms: Millis,
}

/// Event that a mailbox has not taken, with the message as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Change of the message.
    pub event: BulkEvent,
    /// The message; none: it was recalled.
    pub message: Option<BulkMessage>,
}

/// Facts of a bulk message that its entries depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkMessage {
    /// Time of the send.
    pub send_ms: Millis,
    /// Version of the content.
    pub version: i64,
}

/// Numbers of settled mailboxes by the state of a bulk message in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Mailboxes that took the message.
    pub settled: i64,
    /// Mailboxes in which it is read, or was when it was deleted.
    pub read: i64,
    /// Mailboxes whose owner deleted it.
    pub deleted: i64,
}
