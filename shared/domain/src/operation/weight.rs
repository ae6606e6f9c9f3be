//! How much an operation adds to a transaction, as far as that can be told before.

use std::ops::AddAssign;

use super::{Action, Operation};
use crate::id::ProfileId;
use crate::limits::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, LARGE_ENTRIES_MIN};

/// What the holders of a message, or the entries that are due, are taken for, before they
/// are known.
const HOLDERS: usize = 20;

/// An estimate of what a transaction has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes of content that it stores.
    pub bytes: usize,
    /// Entries that it touches.
    pub entries: usize,
}

impl Weight {
    /// Whether a transaction of more than one operation should not have that much to do.
    #[must_use]
    pub const fn is_too_much(&self) -> bool {
        self.bytes > BATCH_BYTES_MAX || self.entries > BATCH_ENTRIES_MAX
    }

    /// Whether it keeps those waiting who come after it.
    #[must_use]
    pub const fn is_large(&self) -> bool {
        self.entries >= LARGE_ENTRIES_MIN
    }
}

impl AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.entries += other.entries;
    }
}

impl Operation {
    /// How much it adds to its transaction.
    #[must_use]
    pub fn weight(&self) -> Weight {
        let entries = |entries| Weight { bytes: 0, entries };
        match &self.action {
            Action::Open(_) | Action::Trim(_) | Action::Configure(_) | Action::StopJob(_) => {
                entries(0)
            }
            Action::Deliver(action) => action.weight(),
            // On its own: those who come after it in a batch would not see it.
            Action::SendBulk(action) => Weight {
                bytes: action.content.encoded.len(),
                entries: BATCH_ENTRIES_MAX + 1,
            },
            Action::Launch(action) => Weight {
                bytes: action.content.encoded.len(),
                entries: 0,
            },
            Action::Advance(action) => entries(action.to.len()),
            Action::Mark(action) => entries(action.message_ids.len()),
            Action::MarkDelivered(action) => entries(action.message_ids.len()),
            Action::Delete(action) => entries(action.message_ids.len()),
            Action::Clear(_) => entries(BATCH_ENTRIES_MAX),
            Action::Recall(action) => entries(action.message_ids.len() * HOLDERS),
            Action::Remove(action) => entries(action.message_ids.len() * HOLDERS),
            Action::RemoveOne(_) => entries(HOLDERS),
            Action::Settle(action) => entries(action.expired.max(HOLDERS)),
            Action::Edit(action) => Weight {
                bytes: action.content.encoded.len(),
                entries: HOLDERS,
            },
            Action::Update(action) => Weight {
                bytes: action.content.encoded.len(),
                entries: HOLDERS,
            },
        }
    }

    /// The first of the mailboxes that it surely locks, by which those are kept together
    /// that would wait for one another; none: that is not known before.
    #[must_use]
    pub fn anchor(&self) -> Option<&ProfileId> {
        match &self.action {
            Action::Open(action) => Some(&action.owner),
            Action::Settle(action) => Some(&action.owner),
            Action::Deliver(action) => action.anchor(),
            Action::Mark(action) => Some(&action.owner),
            Action::MarkDelivered(action) => Some(&action.owner),
            Action::Trim(action) => Some(&action.owner),
            Action::Delete(action) => Some(&action.owner),
            Action::Clear(action) => Some(&action.owner),
            Action::Recall(action) => Some(&action.owner),
            Action::Edit(action) => Some(&action.owner),
            Action::Advance(action) => action.to.first(),
            Action::SendBulk(_)
            | Action::Launch(_)
            | Action::StopJob(_)
            | Action::Update(_)
            | Action::RemoveOne(_)
            | Action::Remove(_)
            | Action::Configure(_) => None,
        }
    }
}
