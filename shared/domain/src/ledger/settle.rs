//! Settling: brings a mailbox up to date before anything else changes it.
//!
//! Expired entries are removed, then the bulk events that are due are applied in the order of
//! their numbers. Settling twice, or when nothing is due, changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::tracked::Tracked;
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
    /// Events that a mailbox has not taken yet, by their numbers.
    pending: BTreeMap<i64, Pending>,
    /// The last event that was read after a cursor, if there are more.
    read_to: BTreeMap<i64, i64>,
    /// Number of bulk messages that have neither expired nor been deleted.
    live: u32,
    /// Bulk messages among the messages of the ledger's entries.
    ids: BTreeSet<MessageId>,
    /// Lower bound of the next expiry, from the entries that have not expired by now.
    next_expiries: BTreeMap<i64, Option<Millis>>,
    /// Mailboxes with more expired entries than were read.
    expired_in_part: BTreeSet<i64>,
}

impl Bulk {
    /// Number of events that were read.
    pub(super) fn pending_count(&self) -> usize {
        self.pending.len()
    }
}

impl Ledger {
    /// Sets the number of the app's last bulk event.
    #[must_use]
    pub fn with_bulk_head(mut self, head: i64) -> Self {
        self.bulk.head = head;
        self
    }

    /// The number of the app's last bulk event that was read.
    #[must_use]
    pub const fn bulk_head(&self) -> i64 {
        self.bulk.head
    }

    /// Adds a bulk event that was read, which a mailbox of the ledger has not taken.
    pub fn read_pending(&mut self, pending: Pending) {
        let bulk_no = pending.event.bulk_no;
        self.bulk.head = self.bulk.head.max(bulk_no);
        self.bulk.pending.insert(bulk_no, pending);
    }

    /// Notes that there may be more bulk events after a cursor than those up to `bulk_no`, which
    /// were read.
    pub fn read_pending_part(&mut self, cursor: i64, bulk_no: i64) {
        if bulk_no < self.bulk.head {
            self.bulk.read_to.insert(cursor, bulk_no);
        }
    }

    /// Sets the number of bulk messages that have neither expired nor been deleted.
    pub const fn read_live_bulk(&mut self, live: u32) {
        self.bulk.live = live;
    }

    /// Number of bulk messages that have neither expired nor been deleted.
    #[must_use]
    pub const fn live_bulk(&self) -> u32 {
        self.bulk.live
    }

    /// Notes that a message of entries that were read is a bulk message.
    pub fn read_bulk_id(&mut self, message_id: MessageId) {
        self.bulk.ids.insert(message_id);
    }

    /// Notes the first expiry of the entries of a mailbox that have not expired by now; all
    /// others were read.
    pub fn read_next_expiry(&mut self, mailbox_id: i64, next: Option<Millis>) {
        self.bulk.next_expiries.insert(mailbox_id, next);
    }

    /// Notes that a mailbox has more expired entries than were read.
    pub fn read_expired_part(&mut self, mailbox_id: i64) {
        self.bulk.expired_in_part.insert(mailbox_id);
    }

    /// Returns whether [`Self::settle`] settles all mailboxes, and none in part.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.bulk.expired_in_part.is_empty() && self.bulk.read_to.is_empty()
    }

    /// Returns whether [`Self::settle`] has settled all of a mailbox.
    #[must_use]
    pub fn is_mailbox_settled(&self, owner: &ProfileId) -> bool {
        self.mailbox(owner).is_none_or(|mailbox| {
            mailbox.bulk_cursor >= self.bulk.head
                && !self.bulk.expired_in_part.contains(&mailbox.mailbox_id)
        })
    }

    /// The bulk messages that have changed after the last event that a mailbox has taken.
    pub fn changed_in_bulk(&self, mailbox: &Mailbox) -> impl Iterator<Item = MessageId> {
        let pending = self.pending_of(mailbox.bulk_cursor);
        let changes = pending.filter(|pending| pending.event.change != MessageChange::Sent);
        changes.map(|pending| pending.event.message_id)
    }

    /// Returns true if anything is due to a mailbox.
    #[must_use]
    pub fn is_due(&self, mailbox: &Mailbox) -> bool {
        mailbox.may_expire(self.due()) || mailbox.bulk_cursor < self.bulk.head
    }

    /// Settles all mailboxes to which anything is due. Returns their number.
    pub fn settle(&mut self) -> usize {
        let due = |(owner, tracked): (&ProfileId, &Tracked<Mailbox>)| {
            let is_due = tracked
                .current()
                .is_some_and(|mailbox| self.is_due(mailbox));
            is_due.then(|| owner.clone())
        };
        let owners: Vec<ProfileId> = self.rows.mailboxes.iter().filter_map(due).collect();
        for owner in &owners {
            self.expire_entries(owner);
            self.take_bulk(owner);
        }
        owners.len()
    }

    /// Adds a bulk message.
    pub fn add_bulk(&mut self, message: Message, audience: Audience) {
        self.bulk.live += 1;
        self.add_event(MessageChange::Sent, &message.envelope, audience);
        self.add_message(message);
    }

    /// Records a change of a bulk or segment message for the mailboxes that hold it.
    pub(super) fn record_change(&mut self, change: MessageChange, envelope: &Envelope) {
        if let Some(segment) = envelope.segment {
            let now = self.now();
            self.change_job(segment.job_id, |job| job.change(change, now));
        }
        if envelope.kind == MessageKind::Bulk {
            // Mailboxes without the message ignore the event.
            self.add_event(change, envelope, Audience::Everyone);
        }
    }

    /// Adds an event that every mailbox takes.
    fn add_event(&mut self, change: MessageChange, envelope: &Envelope, audience: Audience) {
        let head = self.bulk.head;
        let events = &mut self.direct_changes.bulk_events;
        let last = events.last().map_or(head, |event| event.bulk_no);
        events.push(BulkEvent {
            bulk_no: last + 1,
            change,
            message_id: envelope.message_id,
            audience,
            expire_ms: envelope.expire_ms,
        });
    }

    /// Tallies that an owner deleted an entry, if it is of a bulk message.
    pub(super) fn tally_deleted(&mut self, entry: &Entry) {
        if self.is_bulk(entry) {
            self.tally(entry.message_id).deleted += 1;
        }
    }

    /// Tallies that an entry was marked as read or unread, if it is of a bulk message.
    pub(super) fn tally_marked(&mut self, entry: &Entry, read: bool) {
        if self.is_bulk(entry) {
            self.tally(entry.message_id).read += if read { 1 } else { -1 };
        }
    }

    fn is_bulk(&self, entry: &Entry) -> bool {
        entry.msgbox == Msgbox::Inbox && self.bulk.ids.contains(&entry.message_id)
    }

    fn tally(&mut self, message_id: MessageId) -> &mut Tally {
        let tallies = &mut self.direct_changes.tallies;
        tallies.entry(message_id).or_default()
    }

    fn expire_entries(&mut self, owner: &ProfileId) {
        let due = self.due();
        let Some(mailbox) = self.mailbox(owner).filter(|it| it.may_expire(due)) else {
            return;
        };
        let mailbox_id = mailbox.mailbox_id;
        let first = (mailbox_id, Msgbox::Inbox, MessageId::new(uuid::Uuid::nil()));
        let last = (mailbox_id, Msgbox::Sent, MessageId::new(uuid::Uuid::max()));
        let entries = self.rows.entries.range(first..=last);
        let expired: Vec<(Msgbox, MessageId)> = entries
            .filter_map(|(_, tracked)| tracked.current())
            .filter(|entry| entry.expire_ms <= due)
            .map(|entry| (entry.msgbox, entry.message_id))
            .collect();
        for (msgbox, message_id) in expired {
            self.drop_entry(owner, msgbox, message_id);
        }
        if self.bulk.expired_in_part.contains(&mailbox_id) {
            return;
        }
        let next = self.bulk.next_expiries.get(&mailbox_id).copied().flatten();
        let mailbox = self.rows.mailboxes.get_mut(owner);
        if let Some(mailbox) = mailbox.and_then(Tracked::change) {
            mailbox.next_expiry_ms = next;
        }
    }

    fn take_bulk(&mut self, owner: &ProfileId) {
        let Some(mailbox) = self.mailbox(owner).cloned() else {
            return;
        };
        let pending: Vec<Pending> = self.pending_of(mailbox.bulk_cursor).copied().collect();
        for pending in pending {
            let Pending { event, message } = pending;
            match (event.change, message) {
                (MessageChange::Sent, Some(message)) if reaches(&event, &mailbox, self.due()) => {
                    self.take_bulk_message(owner, &event, message);
                }
                (MessageChange::Updated, Some(message)) => {
                    self.show_version(owner, event.message_id, message.version);
                }
                (MessageChange::Recalled, _) => {
                    self.drop_entry(owner, Msgbox::Inbox, event.message_id);
                }
                (MessageChange::Sent | MessageChange::Updated, _) => {}
            }
        }
        let taken = self.read_to(mailbox.bulk_cursor);
        let mailbox = self.rows.mailboxes.get_mut(owner);
        if let Some(mailbox) = mailbox.and_then(Tracked::change) {
            mailbox.bulk_cursor = taken.max(mailbox.bulk_cursor);
        }
    }

    /// Adds a bulk message to an inbox, unless that is full or has it.
    fn take_bulk_message(&mut self, owner: &ProfileId, event: &BulkEvent, message: BulkMessage) {
        let room = self.policy().inbox_room(true);
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
                sender_id: None,
            },
        );
        let Some(mailbox_id) = self.mailbox(owner).map(|mailbox| mailbox.mailbox_id) else {
            return;
        };
        let key = (mailbox_id, Msgbox::Inbox, message_id);
        if let Some(entry) = self.rows.entries.get_mut(&key).and_then(Tracked::change) {
            entry.create_ms = message.send_ms;
        }
        self.bulk.ids.insert(message_id);
        self.tally(message_id).settled += 1;
    }

    /// Shows a version of a message in its entry, if that shows an earlier one.
    pub(super) fn show_version(&mut self, owner: &ProfileId, message_id: MessageId, version: i64) {
        let entry = self.entry_to_change(owner, Msgbox::Inbox, message_id);
        if entry.is_some_and(|entry| entry.content_version < version) {
            self.change_entry(owner, Msgbox::Inbox, message_id, |entry| {
                entry.content_version = version;
            });
        }
    }

    /// The last event after a cursor that was read: the app's last, or that of a part.
    fn read_to(&self, cursor: i64) -> i64 {
        let read_to = self.bulk.read_to.get(&cursor);
        read_to.copied().unwrap_or(self.bulk.head)
    }

    fn pending_of(&self, cursor: i64) -> impl Iterator<Item = &Pending> {
        let last = self.read_to(cursor).max(cursor);
        let events = (Bound::Excluded(cursor), Bound::Included(last));
        let pending = (last > cursor).then(|| self.bulk.pending.range(events));
        pending.into_iter().flatten().map(|(_, pending)| pending)
    }
}

/// Returns true if a mailbox is in the audience of a message that has not been recalled.
fn reaches(event: &BulkEvent, mailbox: &Mailbox, due: Millis) -> bool {
    let is_meant = match event.audience {
        Audience::Existing => event.bulk_no > mailbox.bulk_joined,
        Audience::Everyone => true,
    };
    is_meant && event.expire_ms > due
}

#[cfg(test)]
mod tests;
