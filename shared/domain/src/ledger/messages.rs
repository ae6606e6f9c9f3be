//! Messages of a ledger, and the changes of their entries that follow.

use super::Ledger;
use super::tracked::Tracked;
use crate::bulk::MessageChange;
use crate::content::Content;
use crate::id::{MessageId, ProfileId};
use crate::message::{Draft, Envelope, Holders, Message, MessageKind};
use crate::number::saturating;
use crate::operation::Footprint;

impl Ledger {
    /// Adds a message that was read, and notes which of its holders are read with it.
    pub fn read_message(&mut self, envelope: Envelope, holders: Holders) {
        let message_id = envelope.message_id;
        self.holders.insert(message_id, holders);
        let tracked = Tracked::read(envelope);
        self.rows.messages.insert(message_id, tracked);
    }

    /// Adds the holders of groups of messages that have few to the footprint of a batch, and notes
    /// that they are read.
    pub fn read_few_holders(&mut self, footprint: &mut Footprint) {
        footprint.add_few_holders(|message_id| self.message(message_id));
        for (message_id, holders) in &footprint.messages {
            if let Some(read) = self.holders.get_mut(message_id) {
                *read = (*read).max(*holders);
            }
        }
    }

    /// Adds the holders of groups of messages to the footprint of an operation, as far as they were
    /// read.
    pub fn add_read_holders(&self, footprint: &mut Footprint) {
        for group in &footprint.groups {
            if self.has_holders_of(group) {
                let holders = group.iter().map(|message_id| (*message_id, Holders::All));
                footprint.messages.extend(holders);
            }
        }
    }

    /// Returns whether all holders of all of these messages were read, of those that exist.
    pub fn has_holders_of<'a>(&self, message_ids: impl IntoIterator<Item = &'a MessageId>) -> bool {
        let existing = message_ids.into_iter();
        let mut existing = existing.filter(|message_id| self.message(**message_id).is_some());
        existing.all(|message_id| self.holders.get(message_id) == Some(&Holders::All))
    }

    /// A message that was read or added.
    #[must_use]
    pub fn message(&self, message_id: MessageId) -> Option<&Envelope> {
        self.rows.messages.get(&message_id)?.current()
    }

    /// Returns the envelope of a draft that is sent now, with a new id. Called only when the
    /// send can no longer be refused.
    #[must_use]
    pub fn new_envelope(&self, draft: &Draft, kind: MessageKind) -> Envelope {
        let message_id = self.ids.next(self.now());
        Envelope::sent(draft, kind, message_id, &self.policy(), self.now())
    }

    /// Adds a message.
    pub fn add_message(&mut self, message: Message) {
        let Message { envelope, content } = message;
        let message_id = envelope.message_id;
        self.rows.contents.insert(message_id, content);
        self.holders.insert(message_id, Holders::All);
        self.count_kept(&envelope, envelope.size_bytes);
        let tracked = Tracked::new(envelope);
        self.rows.messages.insert(message_id, tracked);
    }

    /// Returns a copy of a message for a change. If not all of its holders were read, the batch
    /// fails.
    fn message_to_change(&mut self, message_id: MessageId) -> Option<Envelope> {
        let envelope = self.message(message_id).cloned()?;
        self.has_read_holders(message_id).then_some(envelope)
    }

    /// Replaces the content of a message for all its holders. False if there is no message.
    pub fn revise_message(&mut self, message_id: MessageId, content: Content) -> bool {
        let Some(mut envelope) = self.message_to_change(message_id) else {
            return false;
        };
        let before = envelope.size_bytes;
        envelope.size_bytes = saturating(content.encoded.len());
        self.count_kept(&envelope, envelope.size_bytes - before);
        envelope.version += 1;
        envelope.modified = true;
        envelope.update_ms = self.now().not_before(envelope.update_ms);
        for (owner, msgbox) in envelope.holders() {
            self.change_entry(owner, msgbox, message_id, |entry| {
                entry.content_version = envelope.version;
            });
        }
        self.record_change(MessageChange::Updated, &envelope);
        self.rows.contents.insert(message_id, content);
        if let Some(tracked) = self.rows.messages.get_mut(&message_id) {
            tracked.set(envelope);
        }
        true
    }

    /// Lets a message that no box has any more expire: at once, or after the policy's time for
    /// moderation.
    pub fn expire_orphan(&mut self, message_id: MessageId) {
        let expire_ms = self.due().after(self.policy().keep_for_moderation_ms);
        let expires_earlier =
            |message: &Envelope| !message.outlives_recall() && expire_ms < message.expire_ms;
        if self.message(message_id).is_some_and(expires_earlier) {
            self.direct_changes.orphans.insert(message_id, expire_ms);
        }
    }

    /// Lets new messages expire of which no box has kept an entry: they have no tombstones, by which
    /// orphans are found.
    pub(super) fn expire_vanished(&mut self) {
        if !self.has_vanished {
            return;
        }
        let expire_ms = self.due().after(self.policy().keep_for_moderation_ms);
        let new = self.rows.messages.values().filter(|it| !it.was_read());
        let vanished = new.filter_map(Tracked::current).filter(|message| {
            let has_entry =
                |(owner, msgbox)| self.entry(owner, msgbox, message.message_id).is_some();
            !message.outlives_recall() && !message.holders().any(has_entry)
        });
        let vanished: Vec<MessageId> = vanished.map(|it| it.message_id).collect();
        for message_id in vanished {
            let tracked = self.rows.messages.get_mut(&message_id);
            if let Some(message) = tracked.and_then(Tracked::change) {
                message.expire_ms = message.expire_ms.min(expire_ms);
            }
        }
    }

    /// Removes a profile that has no entry of a message from its recipients.
    pub fn forget_recipient(&mut self, message_id: MessageId, profile: &ProfileId) {
        let tracked = self.rows.messages.get_mut(&message_id);
        let Some(envelope) = tracked.and_then(Tracked::change) else {
            return;
        };
        let before = envelope.to.len();
        envelope.to.retain(|recipient| recipient != profile);
        if envelope.to.len() < before {
            let to = envelope.to.clone();
            self.direct_changes.recipients.insert(message_id, to);
        }
    }

    /// Removes a message with the entries of all its holders. False if there is no message.
    pub fn remove_message(&mut self, message_id: MessageId) -> bool {
        let Some(envelope) = self.message_to_change(message_id) else {
            return false;
        };
        for (owner, msgbox) in envelope.holders() {
            self.drop_entry(owner, msgbox, message_id);
        }
        self.record_change(MessageChange::Recalled, &envelope);
        if envelope.outlives_recall() {
            self.rows.recalled.insert(message_id);
        }
        self.rows.contents.remove(&message_id);
        self.count_kept(&envelope, -envelope.size_bytes);
        if let Some(tracked) = self.rows.messages.get_mut(&message_id) {
            tracked.clear();
        }
        true
    }
}
