//! Changes made by the operations of a ledger, in the order of the keys.

use super::tracked::Write;
use super::{Ledger, NotRead};
use crate::bulk::{BulkEvent, Tally};
use crate::entry::Entry;
use crate::id::MessageId;
use crate::mailbox::{Mailbox, Msgbox};
use crate::message::Message;
use crate::policy::Settings;
use crate::segment::SendJob;
use crate::time::Millis;

/// The memory of an entry that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The mailbox.
    pub mailbox_id: i64,
    /// The number of the removal.
    pub seq: i64,
    /// The box.
    pub msgbox: Msgbox,
    /// The message.
    pub message_id: MessageId,
    /// The number with which the entry had come.
    pub create_seq: i64,
    /// Time of the deletion.
    pub delete_ms: Millis,
}

/// All that is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The app's settings.
    pub settings: Option<Settings>,
    /// New messages.
    pub new_messages: Vec<Message>,
    /// Messages that say something else.
    pub contents: Vec<Message>,
    /// Messages that are gone.
    pub gone_messages: Vec<MessageId>,
    /// Messages to everyone or to a segment that are gone for all but the app, and when they went.
    pub recalled_messages: Vec<(MessageId, Millis)>,
    /// New entries.
    pub new_entries: Vec<(i64, Entry)>,
    /// Entries that are different.
    pub entries: Vec<(i64, Entry)>,
    /// Entries that are gone.
    pub gone_entries: Vec<(i64, Msgbox, MessageId)>,
    /// The memory of those.
    pub tombstones: Vec<Tombstone>,
    /// Up to which number the deletions of a mailbox are forgotten.
    pub floors: Vec<(i64, i64)>,
    /// Mailboxes that are different.
    pub mailboxes: Vec<Mailbox>,
    /// New bulk events of the app, in their order.
    pub bulk_events: Vec<BulkEvent>,
    /// Increments of the tallies of bulk messages.
    pub tallies: Vec<(MessageId, Tally)>,
    /// Jobs that are further, or have more to do.
    pub jobs: Vec<SendJob>,
}

impl Ledger {
    /// Returns the rows to write.
    ///
    /// # Errors
    /// [`NotRead`] if an operation changed a row that was not read: the transaction must be
    /// rolled back.
    pub fn into_changes(self) -> Result<Changes, NotRead> {
        if let Some(not_read) = self.not_read {
            return Err(not_read);
        }
        let mut changes = Changes {
            tombstones: self.tombstones,
            floors: self.floors.into_iter().collect(),
            bulk_events: self.bulk.new,
            tallies: self.bulk.tallies.into_iter().collect(),
            ..Changes::default()
        };
        if let Write::Update(settings) = self.settings.into_write() {
            changes.settings = Some(settings);
        }
        let mut contents = self.contents;
        for (message_id, tracked) in self.messages {
            match (tracked.into_write(), contents.remove(&message_id)) {
                (Write::Insert(envelope), Some(content)) => {
                    changes.new_messages.push(Message { envelope, content });
                }
                (Write::Update(envelope), Some(content)) => {
                    changes.contents.push(Message { envelope, content });
                }
                (Write::Delete, _) if self.recalled.contains(&message_id) => {
                    changes.recalled_messages.push((message_id, self.now));
                }
                (Write::Delete, _) => changes.gone_messages.push(message_id),
                (Write::Nothing | Write::Insert(_) | Write::Update(_), _) => {}
            }
        }
        for ((mailbox_id, msgbox, message_id), tracked) in self.entries {
            match tracked.into_write() {
                Write::Insert(entry) => changes.new_entries.push((mailbox_id, entry)),
                Write::Update(entry) => changes.entries.push((mailbox_id, entry)),
                Write::Delete => changes.gone_entries.push((mailbox_id, msgbox, message_id)),
                Write::Nothing => {}
            }
        }
        for tracked in self.mailboxes.into_values() {
            if let Write::Update(mailbox) = tracked.into_write() {
                changes.mailboxes.push(mailbox);
            }
        }
        for tracked in self.jobs.into_values() {
            if let Write::Update(job) = tracked.into_write() {
                changes.jobs.push(job);
            }
        }
        Ok(changes)
    }
}
