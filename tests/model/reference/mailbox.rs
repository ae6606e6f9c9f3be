//! A mailbox of the reference: a list of entries.

use std::collections::BTreeMap;

use domain::mailbox::Counts;
use domain::message::Envelope;
use domain::{Entry, MessageId, Millis, Msgbox, ProfileId};

#[derive(Debug, Default)]
pub struct ReferenceMailbox {
    pub entries: Vec<Entry>,
    pub changes: i64,
    clock: Millis,
    /// Lower bound of the next expiry.
    pub next_expiry: Option<Millis>,
    /// Bulk events: the last one taken, and the last one before the mailbox was created.
    pub bulk_seen: i64,
    pub bulk_joined: i64,
    /// Senders of messages that came while the inbox had many unread ones.
    pub noted: BTreeMap<MessageId, ProfileId>,
}

impl ReferenceMailbox {
    /// A mailbox created after so many bulk events.
    pub fn joining_after(events: i64) -> Self {
        Self {
            bulk_joined: events,
            ..Self::default()
        }
    }

    /// Loses what has expired; how much.
    pub fn lose_expired(&mut self, now: Millis) -> u64 {
        if self.next_expiry.is_none_or(|next| next > now) {
            return 0;
        }
        let expired = self.entries.iter().filter(|entry| entry.expire_ms <= now);
        let mut expired: Vec<_> = expired
            .map(|entry| (entry.msgbox, entry.message_id))
            .collect();
        expired.sort();
        for (msgbox, message_id) in &expired {
            self.lose(*msgbox, *message_id, now);
        }
        self.next_expiry = self.entries.iter().map(|entry| entry.expire_ms).min();
        expired.len() as u64
    }

    /// Receives a message to everyone: dated when it was sent, as it is now.
    pub fn receive_bulk(&mut self, envelope: &Envelope, now: Millis) {
        self.receive(Msgbox::Inbox, envelope.message_id, envelope.expire_ms, now);
        let entry = self.entries.last_mut().expect("the new one");
        entry.create_ms = envelope.send_ms;
        entry.content_version = envelope.version;
    }

    pub fn held(&self, msgbox: Msgbox) -> Vec<MessageId> {
        let in_box = self.entries.iter().filter(|entry| entry.msgbox == msgbox);
        in_box.map(|entry| entry.message_id).collect()
    }

    pub fn entry(&self, msgbox: Msgbox, message_id: MessageId) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.msgbox == msgbox && entry.message_id == message_id)
    }

    pub fn counts(&self) -> Counts {
        let number = |entries: usize| i64::try_from(entries).expect("few");
        let unread = |entry: &&Entry| entry.msgbox == Msgbox::Inbox && entry.read_ms.is_none();
        Counts {
            inbox_total: number(self.held(Msgbox::Inbox).len()),
            inbox_unread: number(self.entries.iter().filter(unread).count()),
            sent_total: number(self.held(Msgbox::Sent).len()),
        }
    }

    /// Number of unread messages of a noted sender.
    pub fn unread_of(&self, sender: &ProfileId) -> usize {
        let noted = self.noted.iter().filter(|(_, noted)| *noted == sender);
        let entries = noted.filter_map(|(id, _)| self.entry(Msgbox::Inbox, *id));
        entries.filter(|entry| entry.read_ms.is_none()).count()
    }

    /// The number and the time of the next change.
    fn tick(&mut self, now: Millis) -> (i64, Millis) {
        self.changes += 1;
        self.clock = now.not_before(self.clock);
        (self.changes, self.clock)
    }

    pub fn receive(
        &mut self,
        msgbox: Msgbox,
        message_id: MessageId,
        expire_ms: Millis,
        now: Millis,
    ) {
        let next = self.next_expiry.unwrap_or(expire_ms);
        self.next_expiry = Some(next.min(expire_ms));
        let (seq, time) = self.tick(now);
        self.entries.push(Entry {
            msgbox,
            message_id,
            seq,
            create_seq: seq,
            create_ms: time,
            update_ms: time,
            version: 1,
            content_version: 1,
            read_ms: None,
            delivered_ms: None,
            expire_ms,
            sender_id: None,
        });
    }

    pub fn change(
        &mut self,
        msgbox: Msgbox,
        message_id: MessageId,
        now: Millis,
        change: impl FnOnce(&mut Entry),
    ) {
        if self.entry(msgbox, message_id).is_none() {
            return;
        }
        let (seq, time) = self.tick(now);
        for entry in &mut self.entries {
            if entry.msgbox == msgbox && entry.message_id == message_id {
                entry.seq = seq;
                entry.update_ms = time;
                entry.version += 1;
                return change(entry);
            }
        }
    }

    pub fn lose(&mut self, msgbox: Msgbox, message_id: MessageId, now: Millis) -> bool {
        if self.entry(msgbox, message_id).is_none() {
            return false;
        }
        self.tick(now);
        self.entries
            .retain(|entry| entry.msgbox != msgbox || entry.message_id != message_id);
        true
    }
}
