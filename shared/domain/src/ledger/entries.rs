//! Entries of a ledger. Each visible change of one takes the next number and time of its
//! mailbox, and changes its counters.

use super::Ledger;
use super::mailboxes::count;
use super::rows::Tombstone;
use super::tracked::Tracked;
use crate::entry::Entry;
use crate::id::{MessageId, ProfileId};
use crate::mailbox::Msgbox;
use crate::time::Millis;

/// Entry to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry {
    /// Box of the entry.
    pub msgbox: Msgbox,
    /// Message of the entry.
    pub message_id: MessageId,
    /// Version of the message that the entry shows.
    pub content_version: i64,
    /// Expiry of the entry.
    pub expire_ms: Millis,
    /// Mailbox of the sender, if it is to be noted.
    pub sender_id: Option<i64>,
}

impl Ledger {
    /// Adds an entry that was read.
    pub fn read_entry(&mut self, mailbox_id: i64, entry: Entry) {
        let key = (mailbox_id, entry.msgbox, entry.message_id);
        self.rows.entries.insert(key, Tracked::read(entry));
    }

    /// Notes that a box has more entries than were read of it.
    pub fn read_part(&mut self, mailbox_id: i64, msgbox: Msgbox) {
        self.read_in_part.insert((mailbox_id, msgbox));
    }

    /// Returns whether a box has more entries than were read of it.
    #[must_use]
    pub fn has_more(&self, owner: &ProfileId, msgbox: Msgbox) -> bool {
        let mailbox = self.mailbox(owner);
        mailbox.is_some_and(|mailbox| self.read_in_part.contains(&(mailbox.mailbox_id, msgbox)))
    }

    /// An entry that was read or added.
    #[must_use]
    pub fn entry(
        &self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> Option<&Entry> {
        let mailbox_id = self.mailbox(owner)?.mailbox_id;
        let key = (mailbox_id, msgbox, message_id);
        self.rows.entries.get(&key)?.current()
    }

    /// The messages of the entries in a box that were read or added, oldest first.
    #[must_use]
    pub fn messages_in(&self, owner: &ProfileId, msgbox: Msgbox) -> Vec<MessageId> {
        let Some(mailbox) = self.mailbox(owner) else {
            return Vec::new();
        };
        let id = mailbox.mailbox_id;
        let (first, last) = (uuid::Uuid::nil(), uuid::Uuid::max());
        let keys = (id, msgbox, MessageId::new(first))..=(id, msgbox, MessageId::new(last));
        let entries = self.rows.entries.range(keys);
        let entries = entries.filter_map(|(_, tracked)| tracked.current());
        entries.map(|entry| entry.message_id).collect()
    }

    /// Returns a copy of an entry for a change. If the mailbox was not read, the batch fails.
    pub(super) fn entry_to_change(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> Option<Entry> {
        if !self.has_read(owner) {
            return None;
        }
        self.entry(owner, msgbox, message_id).cloned()
    }

    /// Adds an entry, unread. False if the mailbox was not read.
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
            sender_id: new.sender_id,
        };
        let due = mailbox
            .next_expiry_ms
            .map_or(new.expire_ms, |next| next.min(new.expire_ms));
        mailbox.next_expiry_ms = Some(due);
        count(mailbox, &entry, 1);
        let mailbox_id = mailbox.mailbox_id;
        self.count_unread_of_sender(mailbox_id, entry.sender_id, i64::from(entry.is_unread()));
        let key = (mailbox_id, new.msgbox, new.message_id);
        self.rows.entries.insert(key, Tracked::new(entry));
        true
    }

    /// Marks an entry as read or unread. False if it already was.
    pub fn mark_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
        read: bool,
    ) -> bool {
        let Some(entry) = self.entry_to_change(owner, msgbox, message_id) else {
            return false;
        };
        if msgbox != Msgbox::Inbox || entry.is_unread() != read {
            return false;
        }
        self.tally_marked(&entry, read);
        self.change_entry(owner, msgbox, message_id, |entry| {
            entry.read_ms = read.then_some(entry.update_ms);
        })
    }

    /// Records the first delivery of an entry to its owner. This is no visible change: it takes
    /// no number, and leaves version and time as they are. False if there is no entry.
    pub fn deliver_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> bool {
        let Some(mut entry) = self.entry_to_change(owner, msgbox, message_id) else {
            return false;
        };
        let Some(mailbox_id) = self.mailbox(owner).map(|mailbox| mailbox.mailbox_id) else {
            return false;
        };
        if entry.delivered_ms.is_none() {
            entry.delivered_ms = Some(self.now());
            let key = (mailbox_id, msgbox, message_id);
            if let Some(tracked) = self.rows.entries.get_mut(&key) {
                tracked.set(entry);
            }
        }
        true
    }

    /// Removes an entry for its owner, and tallies that. False if there is no entry.
    pub fn remove_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> bool {
        if let Some(entry) = self.entry(owner, msgbox, message_id).cloned() {
            self.tally_deleted(&entry);
        }
        self.drop_entry(owner, msgbox, message_id)
    }

    /// Removes an entry that expired or whose message is removed. False if there is no entry.
    pub(super) fn drop_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
    ) -> bool {
        let Some(entry) = self.entry_to_change(owner, msgbox, message_id) else {
            return false;
        };
        let Some((mailbox, now)) = self.tick(owner) else {
            return false;
        };
        count(mailbox, &entry, -1);
        let (mailbox_id, seq) = (mailbox.mailbox_id, mailbox.seq);
        self.count_unread_of_sender(mailbox_id, entry.sender_id, -i64::from(entry.is_unread()));
        let key = (mailbox_id, msgbox, message_id);
        let Some(tracked) = self.rows.entries.get_mut(&key) else {
            return false;
        };
        tracked.clear();
        // An entry that was added by this batch was never visible: it leaves no tombstone.
        if tracked.was_read() {
            self.direct_changes.tombstones.push(Tombstone {
                mailbox_id,
                seq,
                msgbox,
                message_id,
                delete_ms: now,
            });
        } else {
            self.has_vanished = true;
        }
        true
    }

    /// Changes an entry visibly. False if there is no entry.
    pub(super) fn change_entry(
        &mut self,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_id: MessageId,
        change: impl FnOnce(&mut Entry),
    ) -> bool {
        let Some(mut entry) = self.entry_to_change(owner, msgbox, message_id) else {
            return false;
        };
        let Some((mailbox, now)) = self.tick(owner) else {
            return false;
        };
        let was_unread = entry.is_unread();
        count(mailbox, &entry, -1);
        entry.seq = mailbox.seq;
        entry.update_ms = now;
        entry.version += 1;
        change(&mut entry);
        count(mailbox, &entry, 1);
        let mailbox_id = mailbox.mailbox_id;
        let unread = i64::from(entry.is_unread()) - i64::from(was_unread);
        self.count_unread_of_sender(mailbox_id, entry.sender_id, unread);
        let key = (mailbox_id, msgbox, message_id);
        if let Some(tracked) = self.rows.entries.get_mut(&key) {
            tracked.set(entry);
        }
        true
    }
}
