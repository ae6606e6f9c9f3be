//! A user's mailbox: two boxes, their counters, and the number of its last change.

use crate::time::Millis;

/// A box of a mailbox. In ascending order `inbox` comes before `sent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Msgbox {
    /// Received messages.
    Inbox,
    /// Sent messages.
    Sent,
}

impl Msgbox {
    /// Both boxes, in their order.
    pub const ALL: [Self; 2] = [Self::Inbox, Self::Sent];

    /// The box of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|msgbox| msgbox.name() == name)
    }

    /// The name that callers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Sent => "sent",
        }
    }

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Inbox => 0,
            Self::Sent => 1,
        }
    }

    /// The box of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|msgbox| msgbox.code() == code)
    }
}

/// Numbers of messages in the boxes of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages in `inbox`.
    pub inbox_total: i64,
    /// Messages in `inbox` that are not read.
    pub inbox_unread: i64,
    /// Messages in `sent`.
    pub sent_total: i64,
}

impl Counts {
    /// Messages in a box.
    #[must_use]
    pub const fn total(&self, msgbox: Msgbox) -> i64 {
        match msgbox {
            Msgbox::Inbox => self.inbox_total,
            Msgbox::Sent => self.sent_total,
        }
    }

    /// Unread messages in a box; none in `sent`, ever.
    #[must_use]
    pub const fn unread(&self, msgbox: Msgbox) -> i64 {
        match msgbox {
            Msgbox::Inbox => self.inbox_unread,
            Msgbox::Sent => 0,
        }
    }
}

/// A mailbox as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The store's number for it, never used again.
    pub mailbox_id: i64,
    /// The number of its last change.
    pub seq: i64,
    /// Changes up to this number may have been forgotten.
    pub floor_seq: i64,
    /// The time of its last change; it never goes back.
    pub clock_ms: Millis,
    /// Counts of the boxes.
    pub counts: Counts,
    /// No entry expires before this; none: no entry expires.
    pub next_expiry_ms: Option<Millis>,
    /// The number of the last bulk event that it has taken.
    pub bulk_cursor: i64,
    /// The number of the last bulk event before it began.
    pub bulk_joined: i64,
    /// Number of profiles that its owner blocks.
    pub blocks: i64,
    /// Number of conversations of which its owner is a participant.
    pub conversations: i64,
    /// True once its owner has called, or the app has named it.
    pub known: bool,
    /// Bytes of the contents that its owner has sent and that are kept.
    pub kept_bytes: i64,
    /// Mailbox of the user whose message it was created for, until it is known; none: it is known, or
    /// has got no message of a user.
    pub caused_by: Option<i64>,
}

impl Mailbox {
    /// Returns true if the next message of a user to it is the one that it was created for.
    #[must_use]
    pub const fn is_uncaused(&self) -> bool {
        !self.known && self.caused_by.is_none()
    }

    /// Returns true if its owner has never used it, and nothing is left in it.
    #[must_use]
    pub const fn is_abandoned(&self) -> bool {
        !self.known
            && self.counts.inbox_total == 0
            && self.counts.sent_total == 0
            && self.conversations == 0
    }

    /// Returns true if an entry may have expired by then.
    #[must_use]
    pub fn may_expire(&self, now: Millis) -> bool {
        self.next_expiry_ms.is_some_and(|next| next <= now)
    }
}
