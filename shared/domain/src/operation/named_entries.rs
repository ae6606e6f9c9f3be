//! Entries of one box that their owner names, changed in parts.

use super::{EntryRange, Footprint, Weight};
use crate::id::{MessageId, ProfileId};
use crate::limits::PART_ENTRIES;
use crate::mailbox::Msgbox;

/// Entries that are left to be changed. A part is the first [`PART_ENTRIES`] of them at the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEntries {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Box of the entries.
    pub msgbox: Msgbox,
    /// Messages of the entries, distinct.
    message_ids: Vec<MessageId>,
    /// Number of entries that earlier parts have changed.
    changed: u32,
}

impl NamedEntries {
    /// Entries of distinct messages.
    #[must_use]
    pub const fn new(owner: ProfileId, msgbox: Msgbox, message_ids: Vec<MessageId>) -> Self {
        Self {
            owner,
            msgbox,
            message_ids,
            changed: 0,
        }
    }

    /// Messages of the entries that are left, this part's first.
    #[must_use]
    pub fn message_ids(&self) -> &[MessageId] {
        &self.message_ids
    }

    /// The mailbox, and the entries of the part.
    pub(super) fn footprint(&self) -> Footprint {
        let part = self.part().to_vec();
        let named = EntryRange::Named(self.owner.clone(), self.msgbox, part);
        Footprint::of_owner(&self.owner, named)
    }

    /// Load of the part.
    pub(super) fn weight(&self) -> Weight {
        Weight::of_entries(self.part().len())
    }

    /// Changes the entries of the part. Returns the number of entries that all parts so far have
    /// changed.
    pub(super) fn apply(&self, change: impl FnMut(MessageId) -> bool) -> u32 {
        let part = self.part().iter().copied();
        part.map(change).map(u32::from).sum::<u32>() + self.changed
    }

    /// Returns the entries after this part, by which `changed` were changed so far; none after the
    /// last.
    pub(super) fn rest(&self, changed: u32) -> Option<Self> {
        let left = self.message_ids.get(PART_ENTRIES..)?;
        (!left.is_empty()).then(|| Self {
            message_ids: left.to_vec(),
            changed,
            ..self.clone()
        })
    }

    fn part(&self) -> &[MessageId] {
        &self.message_ids[..self.message_ids.len().min(PART_ENTRIES)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{
        Action, Apply as _, DeleteEntries, MarkMessagesDelivered, MarkMessagesRead, Outcome,
    };
    use crate::testing::{MemoryStore, from_app, profile};

    #[test]
    fn many_entries_are_changed_in_parts_and_counted_once() {
        let mut store = MemoryStore::default();
        let messages = 2 * PART_ENTRIES + 7;
        let sends = (1..).take(messages);
        let ids: Vec<MessageId> = sends
            .map(|now| store.send(now, from_app(["bob"])))
            .collect();
        let entries = || NamedEntries::new(profile("bob"), Msgbox::Inbox, ids.clone());
        let mark = MarkMessagesRead {
            entries: entries(),
            read: true,
        };
        for action in [
            mark.into(),
            MarkMessagesDelivered::new(profile("bob"), ids.clone()).into(),
            Action::from(DeleteEntries(entries())),
        ] {
            assert_eq!(action.weight().entries, PART_ENTRIES);
            let changed = u32::try_from(messages).expect("a few");
            let verdict = store.execute(10_000, action);
            assert_eq!(verdict, Ok(Outcome::Changed(changed)));
        }
        assert_eq!(store.counts("bob"), (0, 0, 0));
    }
}
