//! Deletion of messages from the boxes of all holders: in one transaction if they have few, else in
//! parts, each of so few messages that their holders fit into one.

use super::Footprint;
use super::weight::HOLDERS_ESTIMATE;
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::limits::PART_ENTRIES;
use crate::message::Holders;
use crate::operation::Weight;

/// A part of a deletion, and the parts after it. One message is one part, as are several with few
/// holders. Of more, the first part only reads the messages, by whose holders the others are planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionPart {
    /// Messages that the part reads.
    message_ids: Vec<MessageId>,
    /// True if the part deletes its messages however many holders they have.
    is_planned: bool,
    /// Messages of the parts after it, the last part first. Empty in the first part.
    later: Vec<Vec<MessageId>>,
    /// Number of messages that earlier parts have deleted.
    deleted: u32,
}

impl DeletionPart {
    /// The first part of a deletion.
    pub fn first(message_ids: Vec<MessageId>) -> Self {
        Self {
            is_planned: message_ids.len() == 1,
            message_ids,
            later: Vec::new(),
            deleted: 0,
        }
    }

    /// Messages that the part reads: all in the first part.
    pub fn message_ids(&self) -> &[MessageId] {
        &self.message_ids
    }

    /// The messages that the part reads, with all holders if it deletes them.
    pub fn footprint(&self) -> Footprint {
        let message_ids = self.message_ids.iter().copied();
        if self.is_planned {
            return Footprint::of_messages(message_ids, Holders::All);
        }
        Footprint {
            groups: vec![message_ids.clone().collect()],
            ..Footprint::of_messages(message_ids, Holders::None)
        }
    }

    /// Estimated load of the part.
    pub fn weight(&self) -> Weight {
        let holders = self.message_ids.len() * HOLDERS_ESTIMATE;
        Weight::of_entries(holders.min(PART_ENTRIES).max(self.message_ids.len()))
    }

    /// Deletes the messages of the part that `is_meant`. Returns the number of messages that were
    /// deleted by all parts so far.
    pub fn apply(&self, ledger: &mut Ledger, is_meant: impl Fn(&Ledger, MessageId) -> bool) -> u32 {
        let mut deleted = self.deleted;
        if !self.deletes(ledger) {
            return deleted;
        }
        for &message_id in &self.message_ids {
            if is_meant(ledger, message_id) {
                deleted += u32::from(ledger.remove_message(message_id));
            }
        }
        deleted
    }

    /// Returns the part after this one, by which `deleted` messages were deleted so far; none after
    /// the last.
    pub fn rest(&self, ledger: &Ledger, deleted: u32) -> Option<Self> {
        let mut later = if self.deletes(ledger) {
            self.later.clone()
        } else {
            planned(ledger, &self.message_ids)
        };
        Some(Self {
            message_ids: later.pop()?,
            is_planned: true,
            later,
            deleted,
        })
    }

    /// Returns whether the part deletes its messages, and does not only read them.
    fn deletes(&self, ledger: &Ledger) -> bool {
        self.is_planned || ledger.has_holders_of(&self.message_ids)
    }
}

/// Plans parts of messages, the last part first. Each has [`PART_ENTRIES`] holders at the most,
/// unless a single message has more.
fn planned(ledger: &Ledger, message_ids: &[MessageId]) -> Vec<Vec<MessageId>> {
    let mut parts: Vec<Vec<MessageId>> = Vec::new();
    let mut room = 0;
    for &message_id in message_ids {
        let message = ledger.message(message_id);
        let holders = message.map_or(0, |message| message.holders().count());
        if let Some(part) = parts.last_mut().filter(|_| holders <= room) {
            part.push(message_id);
        } else {
            parts.push(vec![message_id]);
            room = PART_ENTRIES;
        }
        room = room.saturating_sub(holders);
    }
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::SendMessage;
    use crate::testing::{MemoryStore, from_app, profile};

    /// Sends a message to so many recipients.
    fn send(store: &mut MemoryStore, now: u64, recipients: usize) -> MessageId {
        let to = (0..recipients).map(|number| profile(&format!("r{number}")));
        let message = SendMessage::new(from_app([]).draft, to.collect());
        store.send(now, message)
    }

    #[test]
    fn parts_are_planned_by_holders() {
        let mut store = MemoryStore::default();
        let holders = [9, PART_ENTRIES - 1, 1, 1, PART_ENTRIES + 1, 2, 3, 4, 5];
        let ids: Vec<MessageId> = (1..)
            .zip(holders)
            .map(|(now, recipients)| send(&mut store, now, recipients))
            .collect();
        let counts = |ids: &[MessageId]| {
            let (mut counts, mut next) = (Vec::new(), Some(DeletionPart::first(ids.to_vec())));
            while let Some(part) = next {
                let mut footprint = part.footprint();
                let mut ledger = store.empty_ledger(100);
                for (message_id, holders) in &footprint.messages {
                    ledger.read_message(store.messages[message_id].clone(), *holders);
                }
                ledger.read_few_holders(&mut footprint);
                let deletes = part.deletes(&ledger);
                counts.push(if deletes { part.message_ids.len() } else { 0 });
                next = part.rest(&ledger, 0);
            }
            counts
        };
        assert_eq!(counts(&ids), [0, 1, 2, 1, 1, 4]);
        // So many have few holders together.
        assert_eq!(counts(&ids[5..]), [4]);
        assert_eq!(counts(&ids[1..3]), [2]);
        assert_eq!(counts(&ids[1..4]), [0, 2, 1]);
        assert_eq!(counts(&ids[4..5]), [1]);
        assert_eq!(counts(&[]), [0]);
    }
}
