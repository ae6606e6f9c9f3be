//! What an operation must see before it can decide.

use std::collections::BTreeSet;

use crate::id::{MessageId, ProfileId};
use crate::mailbox::Msgbox;

/// What must be locked and read, in the order in which it is locked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// The app's settings, to change them.
    pub settings: bool,
    /// Messages, with all that their holders hold of them.
    pub messages: BTreeSet<MessageId>,
    /// Mailboxes, which begin now if they have not begun.
    pub mailboxes: BTreeSet<ProfileId>,
    /// Entries of those mailboxes.
    pub entries: Vec<EntryRange>,
}

/// Entries of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryRange {
    /// Those of the named messages in a box.
    Named(ProfileId, Msgbox, Vec<MessageId>),
    /// All of a box.
    All(ProfileId, Msgbox),
    /// The oldest of a box, as many as stand in the way of one more.
    Overflow(ProfileId, Msgbox),
}

impl Footprint {
    /// Adds what another operation of the same app must see.
    pub fn merge(&mut self, other: Self) {
        self.settings |= other.settings;
        self.messages.extend(other.messages);
        self.mailboxes.extend(other.mailboxes);
        self.entries.extend(other.entries);
    }

    /// One mailbox and some of its entries.
    pub(super) fn of_owner(owner: &ProfileId, entries: EntryRange) -> Self {
        Self {
            mailboxes: BTreeSet::from([owner.clone()]),
            entries: vec![entries],
            ..Self::default()
        }
    }

    /// Some messages, whoever holds them.
    pub(super) fn of_messages(messages: impl IntoIterator<Item = MessageId>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            ..Self::default()
        }
    }
}
