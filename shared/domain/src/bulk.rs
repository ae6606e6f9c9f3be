//! Messages to everyone. One is sent by one row, whoever there is; every mailbox takes it
//! when it is next accessed, which is called to settle.

use crate::id::MessageId;
use crate::time::Millis;

/// Audience of a bulk message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The mailboxes that there are when it is sent.
    Existing,
    /// Also those that begin before it expires.
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
    /// The app deleted it.
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
    /// To which message.
    pub message_id: MessageId,
    /// Audience of the message.
    pub audience: Audience,
    /// Expiry of the message.
    pub expire_ms: Millis,
}

/// An event as a mailbox meets it: with the message as it is now.
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
    /// The version of what it says.
    pub version: i64,
}

/// Numbers of settled mailboxes by the state of a bulk message in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Mailboxes that took it.
    pub settled: i64,
    /// Mailboxes in which it is read, or was when it was deleted.
    pub read: i64,
    /// Mailboxes whose owner deleted it.
    pub deleted: i64,
}
