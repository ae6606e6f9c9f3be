//! Rows of a ledger by table: in memory, and as they are to be written.
//!
//! A table whose rows are read before they change has a field in [`LedgerRows`] and one in
//! [`Changes`]. A table that is only added to has one in [`Changes`].

use std::collections::{BTreeMap, BTreeSet};

use super::tracked::{Tracked, Write};
use crate::block::Block;
use crate::bulk::{BulkEvent, Tally};
use crate::content::Content;
use crate::conversation::{Conversation, Participation};
use crate::entry::Entry;
use crate::erasure::AppErasure;
use crate::id::{ConversationId, MessageId, ProfileId};
use crate::mailbox::{Mailbox, Msgbox};
use crate::message::{Envelope, Message};
use crate::policy::Settings;
use crate::revocation::Revocation;
use crate::segment::{JobId, SendJob};
use crate::time::Millis;
use crate::usage::AppUsage;

/// Mailbox id, box and message of an entry.
type EntryKey = (i64, Msgbox, MessageId);
/// Mailbox id and conversation of a participation.
type ParticipationKey = (i64, ConversationId);

/// Rows that were read or added.
#[derive(Debug, Default)]
pub(super) struct LedgerRows {
    pub(super) settings: Tracked<Settings>,
    pub(super) mailboxes: BTreeMap<ProfileId, Tracked<Mailbox>>,
    pub(super) messages: BTreeMap<MessageId, Tracked<Envelope>>,
    /// New contents of messages; stored contents are not read.
    pub(super) contents: BTreeMap<MessageId, Content>,
    /// Removed messages whose rows stay until they expire.
    pub(super) recalled: BTreeSet<MessageId>,
    pub(super) entries: BTreeMap<EntryKey, Tracked<Entry>>,
    pub(super) jobs: BTreeMap<JobId, Tracked<SendJob>>,
    /// Blocks by mailbox id and blocked profile.
    pub(super) blocks: BTreeMap<(i64, ProfileId), Tracked<Block>>,
    pub(super) conversations: BTreeMap<ConversationId, Tracked<Conversation>>,
    /// Participations by mailbox id and conversation.
    pub(super) participations: BTreeMap<ParticipationKey, Tracked<Participation>>,
}

/// Tombstone of a deleted entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Mailbox of the entry.
    pub mailbox_id: i64,
    /// Number of the deletion.
    pub seq: i64,
    /// Box of the entry.
    pub msgbox: Msgbox,
    /// Message of the entry.
    pub message_id: MessageId,
    /// Time of the deletion.
    pub delete_ms: Millis,
}

/// Rows to write, in the order of their keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Changed settings of the app.
    pub settings: Option<Settings>,
    /// Revocations of tokens, the last one of each profile.
    pub revocations: BTreeMap<ProfileId, Revocation>,
    /// Erasure of the app, if it was scheduled or withdrawn.
    pub app_erasure: Option<AppErasure>,
    /// Profiles to erase, with the revocations of their tokens.
    pub erasures: BTreeMap<ProfileId, Revocation>,
    /// New messages.
    pub new_messages: Vec<Message>,
    /// Messages with a new content.
    pub contents: Vec<Message>,
    /// Deleted messages.
    pub gone_messages: Vec<MessageId>,
    /// Deleted messages whose rows stay until they expire, with the time of the deletion.
    pub recalled_messages: Vec<(MessageId, Millis)>,
    /// Messages with other recipients.
    pub recipients: BTreeMap<MessageId, Vec<ProfileId>>,
    /// New expiries of messages that no box has any more.
    pub orphans: BTreeMap<MessageId, Millis>,
    /// New entries, with their mailboxes.
    pub new_entries: Vec<(i64, Entry)>,
    /// Changed entries, with their mailboxes.
    pub entries: Vec<(i64, Entry)>,
    /// Deleted entries.
    pub gone_entries: Vec<EntryKey>,
    /// Tombstones of the deleted entries, in the order of the deletions.
    pub tombstones: Vec<Tombstone>,
    /// New floors by mailbox id: tombstones up to that number are deleted.
    pub floors: BTreeMap<i64, i64>,
    /// Changed mailboxes.
    pub mailboxes: Vec<Mailbox>,
    /// Removed mailboxes.
    pub gone_mailboxes: Vec<i64>,
    /// New bulk events of the app, in the order of their numbers.
    pub bulk_events: Vec<BulkEvent>,
    /// Change of the usage of the app, if it is counted.
    pub usage: AppUsage,
    /// Time from which on the usage of the app is counted, if that begins.
    pub begins_usage: Option<Millis>,
    /// Increments of the tallies of bulk messages.
    pub tallies: BTreeMap<MessageId, Tally>,
    /// Changed send jobs.
    pub jobs: Vec<SendJob>,
    /// New blocks, with their mailboxes.
    pub new_blocks: Vec<(i64, Block)>,
    /// Removed blocks, by mailbox id and blocked profile.
    pub gone_blocks: Vec<(i64, ProfileId)>,
    /// New conversations.
    pub new_conversations: Vec<Conversation>,
    /// Changed conversations.
    pub conversations: Vec<Conversation>,
    /// Conversations that have ended.
    pub gone_conversations: Vec<ConversationId>,
    /// New participations, with their mailboxes.
    pub new_participations: Vec<(i64, Participation)>,
    /// Participations that have ended.
    pub gone_participations: Vec<ParticipationKey>,
}

impl LedgerRows {
    /// Returns whether there are messages to insert.
    pub(super) fn adds_messages(&self) -> bool {
        let mut messages = self.messages.values();
        messages.any(|tracked| !tracked.was_read() && tracked.current().is_some())
    }

    /// Adds the changed rows to `changes`, made at `now`.
    pub(super) fn into_changes(self, mut changes: Changes, now: Millis) -> Changes {
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
                    changes.recalled_messages.push((message_id, now));
                }
                (Write::Delete, _) => changes.gone_messages.push(message_id),
                (Write::Nothing | Write::Insert(_) | Write::Update(_), _) => {}
            }
        }
        for (key, tracked) in self.entries {
            match tracked.into_write() {
                Write::Insert(entry) => changes.new_entries.push((key.0, entry)),
                Write::Update(entry) => changes.entries.push((key.0, entry)),
                Write::Delete => changes.gone_entries.push(key),
                Write::Nothing => {}
            }
        }
        for (key, tracked) in self.blocks {
            match tracked.into_write() {
                Write::Insert(block) => changes.new_blocks.push((key.0, block)),
                Write::Delete => changes.gone_blocks.push(key),
                // Removed and added again: it is there.
                Write::Update(_) | Write::Nothing => {}
            }
        }
        for (conversation_id, tracked) in self.conversations {
            match tracked.into_write() {
                Write::Insert(conversation) => changes.new_conversations.push(conversation),
                Write::Update(conversation) => changes.conversations.push(conversation),
                Write::Delete => changes.gone_conversations.push(conversation_id),
                Write::Nothing => {}
            }
        }
        for (key, tracked) in self.participations {
            match tracked.into_write() {
                Write::Insert(participation) => {
                    changes.new_participations.push((key.0, participation));
                }
                Write::Delete => changes.gone_participations.push(key),
                // Ended and begun again: it is there.
                Write::Update(_) | Write::Nothing => {}
            }
        }
        changes.mailboxes = updates(self.mailboxes);
        changes.jobs = updates(self.jobs);
        changes
    }
}

/// Returns the changed rows of a table that a batch neither inserts into nor deletes from.
fn updates<K, T>(rows: BTreeMap<K, Tracked<T>>) -> Vec<T> {
    let rows = rows.into_values();
    rows.filter_map(|tracked| match tracked.into_write() {
        Write::Update(row) => Some(row),
        Write::Nothing | Write::Insert(_) | Write::Delete => None,
    })
    .collect()
}
