//! Ledger: the rows of one app that a batch has read and changed, in memory.
//!
//! The ledger alone counts, numbers and dates. Whatever an operation does to an entry, the
//! mailbox's counters follow by exactly that change, the change takes the mailbox's next
//! `seq`, and its time never lies before the last one. So these promises are kept, and
//! tested, here; operations only say what shall happen.

mod changes;
mod not_read;
mod segment;
mod settle;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use changes::{Changes, Tombstone};
pub use not_read::NotRead;
use settle::Bulk;
use tracked::Tracked;

use crate::bulk::MessageChange;
use crate::content::Content;
use crate::entry::Entry;
use crate::id::{MessageId, MessageIdSource, ProfileId};
use crate::mailbox::{Mailbox, Msgbox};
use crate::message::{Draft, Envelope, Holders, Message, MessageKind};
use crate::policy::{Policy, Settings};
use crate::segment::{JobId, SendJob};
use crate::time::Millis;

type EntryKey = (i64, Msgbox, MessageId);

/// Rows and changes of one app in a batch.
#[derive(Debug)]
pub struct Ledger {
    now: Millis,
    ids: Arc<dyn MessageIdSource>,
    defaults: Policy,
    settings: Tracked<Settings>,
    mailboxes: BTreeMap<ProfileId, Tracked<Mailbox>>,
    messages: BTreeMap<MessageId, Tracked<Envelope>>,
    contents: BTreeMap<MessageId, Content>,
    entries: BTreeMap<EntryKey, Tracked<Entry>>,
    tombstones: Vec<Tombstone>,
    floors: BTreeMap<i64, i64>,
    bulk: Bulk,
    jobs: BTreeMap<JobId, Tracked<SendJob>>,
    recalled: BTreeSet<MessageId>,
    /// Holders that were read with each message.
    holders: BTreeMap<MessageId, Holders>,
    /// The first change of a row that was not read.
    not_read: Option<NotRead>,
}

/// An entry that is about to be.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry {
    /// In which box.
    pub msgbox: Msgbox,
    /// Message of the entry.
    pub message_id: MessageId,
    /// Version of the message that the entry shows.
    pub content_version: i64,
    /// Expiry of the entry.
    pub expire_ms: Millis,
}

impl Ledger {
    /// A ledger of an app at a time, with nothing read yet.
    #[must_use]
    pub fn new(
        now: Millis,
        ids: Arc<dyn MessageIdSource>,
        defaults: Policy,
        settings: Settings,
    ) -> Self {
        Self {
            now,
            ids,
            defaults,
            settings: Tracked::read(settings),
            mailboxes: BTreeMap::new(),
            messages: BTreeMap::new(),
            contents: BTreeMap::new(),
            entries: BTreeMap::new(),
            tombstones: Vec::new(),
            floors: BTreeMap::new(),
            bulk: Bulk::default(),
            jobs: BTreeMap::new(),
            recalled: BTreeSet::new(),
            holders: BTreeMap::new(),
            not_read: None,
        }
    }

    /// Takes a mailbox that was read.
    pub fn read_mailbox(&mut self, owner: ProfileId, mailbox: Mailbox) {
        self.mailboxes.insert(owner, Tracked::read(mailbox));
    }

    /// Takes a message that was read, and notes which of its holders are read with it.
    pub fn read_message(&mut self, envelope: Envelope, holders: Holders) {
        self.holders.insert(envelope.message_id, holders);
        self.messages
            .insert(envelope.message_id, Tracked::read(envelope));
    }

    /// Takes an entry that was read.
    pub fn read_entry(&mut self, mailbox_id: i64, entry: Entry) {
        let key = (mailbox_id, entry.msgbox, entry.message_id);
        self.entries.insert(key, Tracked::read(entry));
    }

    /// The time of the batch.
    #[must_use]
    pub const fn now(&self) -> Millis {
        self.now
    }

    /// Returns the envelope of a draft that is sent now, with a new id. Called only when the
    /// send can no longer be refused.
    #[must_use]
    pub fn new_envelope(&self, draft: &Draft, kind: MessageKind) -> Envelope {
        let message_id = self.ids.next(self.now);
        Envelope::sent(draft, kind, message_id, &self.policy(), self.now)
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.settings().over(&self.defaults)
    }

    /// Settings that the app overrides.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings.current().cloned().unwrap_or_default()
    }

    /// Changes what the app overrides.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings.set(settings);
    }

    /// A mailbox that was read.
    #[must_use]
    pub fn mailbox(&self, owner: &ProfileId) -> Option<&Mailbox> {
        self.mailboxes.get(owner)?.current()
    }

    /// A message that was read or made.
    #[must_use]
    pub fn message(&self, message_id: MessageId) -> Option<&Envelope> {
        self.messages.get(&message_id)?.current()
    }

    /// An entry that was read or made.
    #[must_use]
    pub fn entry(
        &self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> Option<&Entry> {
        let mailbox_id = self.mailbox(owner)?.mailbox_id;
        self.entries
            .get(&(mailbox_id, msgbox, message_id))?
            .current()
    }

    /// The messages in a box, oldest first, of those entries that were read or made.
    #[must_use]
    pub fn messages_in(&self, owner: &ProfileId, msgbox: Msgbox) -> Vec<MessageId> {
        let Some(mailbox) = self.mailbox(owner) else {
            return Vec::new();
        };
        let id = mailbox.mailbox_id;
        let (first, last) = (uuid::Uuid::nil(), uuid::Uuid::max());
        self.entries
            .range((id, msgbox, MessageId::new(first))..=(id, msgbox, MessageId::new(last)))
            .filter_map(|((.., message_id), tracked)| tracked.current().map(|_| *message_id))
            .collect()
    }

    /// Adds a message.
    pub fn add_message(&mut self, message: Message) {
        let Message { envelope, content } = message;
        self.contents.insert(envelope.message_id, content);
        self.holders.insert(envelope.message_id, Holders::All);
        self.messages
            .insert(envelope.message_id, Tracked::new(envelope));
    }

    /// Changes what a message says, for all who hold it. False if there is none.
    pub fn revise_message(&mut self, message_id: MessageId, content: Content) -> bool {
        let Some(mut envelope) = self.message(message_id).cloned() else {
            return false;
        };
        if !self.has_read_holders(&envelope) {
            return false;
        }
        envelope.version += 1;
        envelope.modified = true;
        envelope.update_ms = envelope.update_ms.max(self.now);
        for (owner, msgbox) in envelope.holders() {
            self.change_entry(owner, msgbox, message_id, |entry| {
                entry.content_version = envelope.version;
            });
        }
        self.record_change(MessageChange::Updated, &envelope);
        self.contents.insert(message_id, content);
        if let Some(tracked) = self.messages.get_mut(&message_id) {
            tracked.set(envelope);
        }
        true
    }

    /// Removes a message, and the entries of all who hold it. False if there is none.
    pub fn remove_message(&mut self, message_id: MessageId) -> bool {
        let Some(envelope) = self.message(message_id).cloned() else {
            return false;
        };
        if !self.has_read_holders(&envelope) {
            return false;
        }
        for (owner, msgbox) in envelope.holders() {
            self.lose_entry(owner, msgbox, message_id);
        }
        self.record_change(MessageChange::Recalled, &envelope);
        if envelope.outlives_recall() {
            self.recalled.insert(message_id);
        }
        self.contents.remove(&message_id);
        if let Some(tracked) = self.messages.get_mut(&message_id) {
            tracked.clear();
        }
        true
    }

    /// Adds an entry, unread.
    pub fn add_entry(&mut self, owner: &ProfileId, new: NewEntry) -> bool {
        if !self.has_read(owner) {
            return false;
        }
        let Some((mailbox, now)) = self.tick(owner) else {
            return false;
        };
        let entry = Entry {
            msgbox: new.msgbox,
            message_id: new.message_id,
            seq: mailbox.seq,
            create_seq: mailbox.seq,
            create_ms: now,
            update_ms: now,
            version: 1,
            content_version: new.content_version,
            read_ms: None,
            delivered_ms: None,
            expire_ms: new.expire_ms,
        };
        let due = mailbox
            .next_expiry_ms
            .map_or(new.expire_ms, |next| next.min(new.expire_ms));
        mailbox.next_expiry_ms = Some(due);
        count(mailbox, &entry, 1);
        let key = (mailbox.mailbox_id, new.msgbox, new.message_id);
        self.entries.insert(key, Tracked::new(entry));
        true
    }

    /// Marks an entry as read or unread. Whether that changed anything.
    pub fn mark_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
        read: bool,
    ) -> bool {
        let differs = self.has_read(owner)
            && self
                .entry(owner, msgbox, message_id)
                .is_some_and(|entry| msgbox == Msgbox::Inbox && entry.is_unread() == read);
        if !differs {
            return false;
        }
        if let Some(entry) = self.entry(owner, msgbox, message_id).cloned() {
            self.bulk.note_marked(&entry, read);
        }
        self.change_entry(owner, msgbox, message_id, |entry| {
            entry.read_ms = read.then_some(entry.update_ms);
        })
    }

    /// Notes that an entry was handed to its owner, the first time. That is no change that
    /// anybody is told of: it takes no number, and leaves version and time as they are.
    /// Whether the entry is there.
    pub fn deliver_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> bool {
        if !self.has_read(owner) {
            return false;
        }
        let Some(mut entry) = self.entry(owner, msgbox, message_id).cloned() else {
            return false;
        };
        let Some(mailbox_id) = self.mailbox(owner).map(|mailbox| mailbox.mailbox_id) else {
            return false;
        };
        if entry.delivered_ms.is_none() {
            entry.delivered_ms = Some(self.now);
            if let Some(tracked) = self.entries.get_mut(&(mailbox_id, msgbox, message_id)) {
                tracked.set(entry);
            }
        }
        true
    }

    /// Forgets the deletions of a mailbox up to a number, which is none beyond its last
    /// change. Never takes back what was forgotten already.
    pub fn raise_floor(&mut self, owner: &ProfileId, seq: i64) {
        let rises = |mailbox: &Mailbox| seq.min(mailbox.seq) > mailbox.floor_seq;
        if !self.has_read(owner) || !self.mailbox(owner).is_some_and(rises) {
            return;
        }
        if let Some(mailbox) = self.mailboxes.get_mut(owner).and_then(Tracked::change) {
            mailbox.floor_seq = seq.min(mailbox.seq);
            self.floors.insert(mailbox.mailbox_id, mailbox.floor_seq);
        }
    }

    /// Removes an entry, as its owner wishes. Whether it was there.
    pub fn remove_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> bool {
        if let Some(entry) = self.entry(owner, msgbox, message_id).cloned() {
            self.bulk.note_deleted(&entry);
        }
        self.lose_entry(owner, msgbox, message_id)
    }

    /// Removes an entry. Whether it was there.
    fn lose_entry(&mut self, owner: &ProfileId, msgbox: Msgbox, message_id: MessageId) -> bool {
        if !self.has_read(owner) {
            return false;
        }
        let Some(entry) = self.entry(owner, msgbox, message_id).cloned() else {
            return false;
        };
        let Some((mailbox, now)) = self.tick(owner) else {
            return false;
        };
        count(mailbox, &entry, -1);
        let (mailbox_id, seq) = (mailbox.mailbox_id, mailbox.seq);
        let Some(tracked) = self.entries.get_mut(&(mailbox_id, msgbox, message_id)) else {
            return false;
        };
        tracked.clear();
        // What came and went within the batch was never there for anybody.
        if tracked.was_read() {
            self.tombstones.push(Tombstone {
                mailbox_id,
                seq,
                msgbox,
                message_id,
                create_seq: entry.create_seq,
                delete_ms: now,
            });
        }
        true
    }

    /// Changes an entry visibly. Whether it was there.
    fn change_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
        change: impl FnOnce(&mut Entry),
    ) -> bool {
        if !self.has_read(owner) {
            return false;
        }
        let Some(mut entry) = self.entry(owner, msgbox, message_id).cloned() else {
            return false;
        };
        let Some((mailbox, now)) = self.tick(owner) else {
            return false;
        };
        count(mailbox, &entry, -1);
        entry.seq = mailbox.seq;
        entry.update_ms = now;
        entry.version += 1;
        change(&mut entry);
        count(mailbox, &entry, 1);
        let key = (mailbox.mailbox_id, msgbox, message_id);
        if let Some(tracked) = self.entries.get_mut(&key) {
            tracked.set(entry);
        }
        true
    }

    /// Takes the mailbox's next number and time.
    fn tick(&mut self, owner: &ProfileId) -> Option<(&mut Mailbox, Millis)> {
        let now = self.now;
        let mailbox = self.mailboxes.get_mut(owner)?.change()?;
        mailbox.seq += 1;
        mailbox.clock_ms = mailbox.clock_ms.max(now);
        let time = mailbox.clock_ms;
        Some((mailbox, time))
    }
}

/// Adds an entry to its mailbox's counters, or takes it from them.
fn count(mailbox: &mut Mailbox, entry: &Entry, by: i64) {
    let counts = &mut mailbox.counts;
    match entry.msgbox {
        Msgbox::Inbox => {
            counts.inbox_total += by;
            counts.inbox_unread += if entry.is_unread() { by } else { 0 };
        }
        Msgbox::Sent => counts.sent_total += by,
    }
}

#[cfg(test)]
mod tests;
