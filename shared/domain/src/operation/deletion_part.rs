//! Deletion of messages from the boxes of all holders, in parts: each of so few messages that
//! their holders fit into one transaction.

use super::Footprint;
use super::weight::HOLDERS_ESTIMATE;
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::limits::PART_ENTRIES;
use crate::message::Holders;
use crate::operation::Weight;

/// Number of messages in the first part, whose holders are not known yet.
const FIRST_MESSAGES: usize = 8;

/// Messages that are left to be deleted, and the part of them that is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionPart {
    /// Messages that are left.
    message_ids: Vec<MessageId>,
    /// Number of messages in the part, the first of those that are left.
    part: usize,
    /// Number of messages that earlier parts have deleted.
    deleted: u32,
}

impl DeletionPart {
    /// The first part of a deletion.
    pub fn first(message_ids: Vec<MessageId>) -> Self {
        Self {
            part: message_ids.len().min(FIRST_MESSAGES),
            message_ids,
            deleted: 0,
        }
    }

    /// Messages that are left, this part's first.
    pub fn message_ids(&self) -> &[MessageId] {
        &self.message_ids
    }

    /// All messages that are left, those of the part with all holders.
    pub fn footprint(&self) -> Footprint {
        let (part, others) = self.message_ids.split_at(self.part);
        let mut footprint = Footprint::of_messages(part.iter().copied(), Holders::All);
        let others = Footprint::of_messages(others.iter().copied(), Holders::None);
        footprint.merge(others);
        footprint
    }

    /// Estimated load of the part.
    pub const fn weight(&self) -> Weight {
        Weight::of_entries(self.part * HOLDERS_ESTIMATE)
    }

    /// Deletes the messages of the part that `is_meant`. Returns the number of messages that were
    /// deleted by all parts so far.
    pub fn apply(&self, ledger: &mut Ledger, is_meant: impl Fn(&Ledger, MessageId) -> bool) -> u32 {
        let mut deleted = self.deleted;
        for &message_id in &self.message_ids[..self.part] {
            if is_meant(ledger, message_id) {
                deleted += u32::from(ledger.remove_message(message_id));
            }
        }
        deleted
    }

    /// Returns the part after this one, by which `deleted` messages were deleted so far; none after
    /// the last.
    pub fn rest(&self, ledger: &Ledger, deleted: u32) -> Option<Self> {
        let left = &self.message_ids[self.part..];
        let mut entries = 0;
        let fits = |message_id: &&MessageId| {
            let message = ledger.message(**message_id);
            entries += message.map_or(0, |message| message.holders().count());
            entries <= PART_ENTRIES
        };
        let part = left.iter().take_while(fits).count().max(1);
        (!left.is_empty()).then(|| Self {
            message_ids: left.to_vec(),
            part,
            deleted,
        })
    }
}
