//! Settling: a mailbox takes what is due before anything else happens to it.
//!
//! What has expired goes, then what was sent to everyone comes, in the order of its
//! numbers. Doing it again changes nothing, and so does it when nothing is due.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, NewEntry};
use crate::bulk::{Audience, BulkEvent, BulkMessage, MessageChange, Pending, Tally};
use crate::entry::Entry;
use crate::id::{MessageId, ProfileId};
use crate::mailbox::{Mailbox, Msgbox};
use crate::message::{Envelope, Message, MessageKind};
use crate::time::Millis;

/// Bulk messages of an app, as far as a ledger has read them.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    /// The number of the last event, before this batch.
    head: i64,
    /// Events that some mailbox has not taken yet, in their order.
    pending: Vec<Pending>,
    /// Bulk messages among the messages of the ledger's entries.
    ids: BTreeSet<MessageId>,
    /// Lower bound of the next expiry, from the entries that have not expired by now.
    next_expiries: BTreeMap<i64, Option<Millis>>,
    /// Events that this batch adds.
    pub(super) new: Vec<BulkEvent>,
    pub(super) tallies: BTreeMap<MessageId, Tally>,
}

impl Bulk {
    /// The number of the last event with this batch.
    pub(super) fn last(&self) -> i64 {
        self.new.last().map_or(self.head, |event| event.bulk_no)
    }

    fn tally(&mut self, message_id: MessageId, add: Tally) {
        let tally = self.tallies.entry(message_id).or_default();
        tally.settled += add.settled;
        tally.read += add.read;
        tally.deleted += add.deleted;
    }

    fn is_bulk(&self, entry: &Entry) -> bool {
        entry.msgbox == Msgbox::Inbox && self.ids.contains(&entry.message_id)
    }

    pub(super) fn note_deleted(&mut self, entry: &Entry) {
        if self.is_bulk(entry) {
            let deleted = Tally {
                deleted: 1,
                ..Tally::default()
            };
            self.tally(entry.message_id, deleted);
        }
    }

    pub(super) fn note_marked(&mut self, entry: &Entry, read: bool) {
        if self.is_bulk(entry) {
            let read = Tally {
                read: if read { 1 } else { -1 },
                ..Tally::default()
            };
            self.tally(entry.message_id, read);
        }
    }

    /// Notes what every mailbox will meet.
    pub(super) fn add_event(
        &mut self,
        change: MessageChange,
        envelope: &Envelope,
        audience: Audience,
    ) {
        self.new.push(BulkEvent {
            bulk_no: self.last() + 1,
            change,
            message_id: envelope.message_id,
            audience,
            expire_ms: envelope.expire_ms,
        });
    }
}

impl Ledger {
    /// With events of the app's messages to everyone up to a number.
    #[must_use]
    pub fn with_bulk_head(mut self, head: i64) -> Self {
        self.bulk.head = head;
        self
    }

    /// The number of the app's last event, as far as it was read.
    #[must_use]
    pub const fn bulk_head(&self) -> i64 {
        self.bulk.head
    }

    /// Takes an event that was read; they come in the order of their numbers, and all that
    /// a mailbox of the ledger has not taken.
    pub fn read_pending(&mut self, pending: Pending) {
        self.bulk.head = self.bulk.head.max(pending.event.bulk_no);
        self.bulk.pending.push(pending);
    }

    /// Takes note that a message, of which entries were read, is one to everyone.
    pub fn read_bulk_id(&mut self, message_id: MessageId) {
        self.bulk.ids.insert(message_id);
    }

    /// Takes when the first of those entries of a mailbox expires that have not expired by
    /// now; all others were read.
    pub fn read_next_expiry(&mut self, mailbox_id: i64, next: Option<Millis>) {
        self.bulk.next_expiries.insert(mailbox_id, next);
    }

    /// The messages to everyone that a mailbox may hold and that have changed since it took
    /// the last event.
    pub fn changed_in_bulk(&self, mailbox: &Mailbox) -> impl Iterator<Item = MessageId> {
        let pending = self.pending_of(mailbox.bulk_cursor).iter();
        let changes = pending.filter(|pending| pending.event.change != MessageChange::Sent);
        changes.map(|pending| pending.event.message_id)
    }

    /// Returns true if anything is due to a mailbox.
    #[must_use]
    pub fn is_due(&self, mailbox: &Mailbox) -> bool {
        mailbox.may_expire(self.now) || mailbox.bulk_cursor < self.bulk.head
    }

    /// The mailboxes that were read.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes.values().filter_map(super::Tracked::current)
    }

    /// Settles all mailboxes to which anything is due. Returns their number.
    pub fn settle(&mut self) -> usize {
        let due = |(owner, tracked): (&ProfileId, &super::Tracked<Mailbox>)| {
            let is_due = tracked
                .current()
                .is_some_and(|mailbox| self.is_due(mailbox));
            is_due.then(|| owner.clone())
        };
        let owners: Vec<ProfileId> = self.mailboxes.iter().filter_map(due).collect();
        for owner in &owners {
            self.expire_entries(owner);
            self.take_bulk(owner);
        }
        owners.len()
    }

    /// Adds a message to everyone.
    pub fn add_bulk(&mut self, message: Message, audience: Audience) {
        self.bulk
            .add_event(MessageChange::Sent, &message.envelope, audience);
        self.add_message(message);
    }

    /// Tells every mailbox what became of a message, if it was one to everyone or to a segment.
    pub(super) fn record_change(&mut self, change: MessageChange, envelope: &Envelope) {
        if let Some(segment) = envelope.segment {
            let now = self.now;
            self.change_job(segment.job_id, |job| job.change(change, now));
        }
        if envelope.kind == MessageKind::Bulk {
            // Who holds it is to know; who does not, takes nothing from this.
            self.bulk.add_event(change, envelope, Audience::Everyone);
        }
    }

    fn expire_entries(&mut self, owner: &ProfileId) {
        let now = self.now;
        let Some(mailbox) = self.mailbox(owner).filter(|it| it.may_expire(now)) else {
            return;
        };
        let mailbox_id = mailbox.mailbox_id;
        let first = (mailbox_id, Msgbox::Inbox, MessageId::new(uuid::Uuid::nil()));
        let last = (mailbox_id, Msgbox::Sent, MessageId::new(uuid::Uuid::max()));
        let entries = self.entries.range(first..=last);
        let expired: Vec<(Msgbox, MessageId)> = entries
            .filter_map(|(_, tracked)| tracked.current())
            .filter(|entry| entry.expire_ms <= now)
            .map(|entry| (entry.msgbox, entry.message_id))
            .collect();
        for (msgbox, message_id) in expired {
            self.lose_entry(owner, msgbox, message_id);
        }
        let next = self.bulk.next_expiries.get(&mailbox_id).copied().flatten();
        if let Some(mailbox) = self
            .mailboxes
            .get_mut(owner)
            .and_then(super::Tracked::change)
        {
            mailbox.next_expiry_ms = next;
        }
    }

    fn take_bulk(&mut self, owner: &ProfileId) {
        let Some(mailbox) = self.mailbox(owner).cloned() else {
            return;
        };
        for pending in self.pending_of(mailbox.bulk_cursor).to_vec() {
            let Pending { event, message } = pending;
            match (event.change, message) {
                (MessageChange::Sent, Some(message)) if reaches(&event, &mailbox, self.now) => {
                    self.take_bulk_message(owner, &event, message);
                }
                (MessageChange::Updated, Some(message)) => {
                    self.show_version(owner, event.message_id, message.version);
                }
                (MessageChange::Recalled, _) => {
                    self.lose_entry(owner, Msgbox::Inbox, event.message_id);
                }
                (MessageChange::Sent | MessageChange::Updated, _) => {}
            }
        }
        let head = self.bulk.head;
        if let Some(mailbox) = self
            .mailboxes
            .get_mut(owner)
            .and_then(super::Tracked::change)
        {
            mailbox.bulk_cursor = head.max(mailbox.bulk_cursor);
        }
    }

    /// A full inbox takes nothing, as of any other message.
    fn take_bulk_message(&mut self, owner: &ProfileId, event: &BulkEvent, message: BulkMessage) {
        let room = i64::from(self.policy().max_box_messages);
        let has_room = |mailbox: &Mailbox| mailbox.counts.inbox_total < room;
        let message_id = event.message_id;
        let held = self.entry(owner, Msgbox::Inbox, message_id).is_some();
        if held || !self.mailbox(owner).is_some_and(has_room) {
            return;
        }
        self.add_entry(
            owner,
            NewEntry {
                msgbox: Msgbox::Inbox,
                message_id,
                content_version: message.version,
                expire_ms: event.expire_ms,
            },
        );
        let Some(mailbox_id) = self.mailbox(owner).map(|mailbox| mailbox.mailbox_id) else {
            return;
        };
        let key = (mailbox_id, Msgbox::Inbox, message_id);
        if let Some(entry) = self.entries.get_mut(&key).and_then(super::Tracked::change) {
            entry.create_ms = message.send_ms;
        }
        self.bulk.ids.insert(message_id);
        let settled = Tally {
            settled: 1,
            ..Tally::default()
        };
        self.bulk.tally(message_id, settled);
    }

    /// Shows a version of a message that came after the one that an entry shows.
    pub(super) fn show_version(&mut self, owner: &ProfileId, message_id: MessageId, version: i64) {
        if !self.has_read(owner) {
            return;
        }
        let entry = self.entry(owner, Msgbox::Inbox, message_id);
        if entry.is_some_and(|entry| entry.content_version < version) {
            self.change_entry(owner, Msgbox::Inbox, message_id, |entry| {
                entry.content_version = version;
            });
        }
    }

    fn pending_of(&self, cursor: i64) -> &[Pending] {
        let pending = &self.bulk.pending;
        let first = pending.partition_point(|pending| pending.event.bulk_no <= cursor);
        &pending[first..]
    }
}

/// Returns true if a mailbox is in the audience of a message that has not been recalled.
fn reaches(event: &BulkEvent, mailbox: &Mailbox, now: Millis) -> bool {
    let is_meant = match event.audience {
        Audience::Existing => event.bulk_no > mailbox.bulk_joined,
        Audience::Everyone => true,
    };
    is_meant && event.expire_ms > now
}

#[cfg(test)]
mod tests;
