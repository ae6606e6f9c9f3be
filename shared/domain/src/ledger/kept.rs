//! Quotas of storage of a user: bytes of contents, and mailboxes that nobody uses.
//!
//! The bytes change in the transaction that adds, changes or removes the message. The mailboxes are
//! counted from an index that only unused mailboxes have.

use super::Ledger;
use super::tracked::Tracked;
use crate::id::{MessageId, ProfileId};
use crate::mailbox::Mailbox;
use crate::message::Envelope;

impl Ledger {
    /// Adds a message that has expired, and that is to be forgotten.
    pub fn read_expired(&mut self, envelope: Envelope) {
        self.expired.insert(envelope.message_id, envelope);
    }

    /// The sender of an expired message that was read.
    #[must_use]
    pub fn expired_sender(&self, message_id: MessageId) -> Option<&ProfileId> {
        let envelope = self.expired.get(&message_id)?;
        envelope.sender.profile_id.as_ref()
    }

    /// Removes an expired message, of which no box holds an entry. Nothing if another replica has.
    pub fn forget_message(&mut self, message_id: MessageId) {
        if let Some(envelope) = self.expired.remove(&message_id) {
            self.count_kept(&envelope, -envelope.size_bytes);
            self.direct_changes.gone_messages.push(message_id);
        }
    }

    /// Bytes of contents of a profile that are kept.
    #[must_use]
    pub fn kept_bytes(&self, owner: &ProfileId) -> i64 {
        self.mailbox(owner).map_or(0, |mailbox| mailbox.kept_bytes)
    }

    /// Counts bytes of a message that are kept of its sender and of the app. A sender who was erased
    /// has none.
    pub(super) fn count_kept(&mut self, envelope: &Envelope, by: i64) {
        self.count_usage(by, 0);
        let sender = envelope.sender.profile_id.as_ref();
        let mailbox = sender.and_then(|sender| self.rows.mailboxes.get_mut(sender));
        if let Some(mailbox) = mailbox.filter(|_| by != 0).and_then(Tracked::change) {
            mailbox.kept_bytes = (mailbox.kept_bytes + by).max(0);
        }
    }

    /// Adds the number of unused mailboxes that messages of a profile have created, which was read.
    pub fn read_unused_mailboxes(&mut self, sender_id: i64, mailboxes: i64) {
        self.unused_mailboxes.insert(sender_id, mailboxes);
    }

    /// Number of unused mailboxes that messages of a profile have created.
    #[must_use]
    pub fn unused_mailboxes(&self, sender: &ProfileId) -> i64 {
        let mailbox = self.mailbox(sender);
        let counted = mailbox.and_then(|mailbox| self.unused_mailboxes.get(&mailbox.mailbox_id));
        counted.copied().unwrap_or(0)
    }

    /// Returns whether a message of a user creates the mailbox of a recipient, or would have.
    #[must_use]
    pub fn is_uncaused(&self, owner: &ProfileId) -> bool {
        self.mailbox(owner).is_some_and(Mailbox::is_uncaused)
    }

    /// Notes that a message of a user has created a mailbox, if nobody has before.
    pub fn cause_mailbox(&mut self, owner: &ProfileId, sender: &ProfileId) {
        if !self.is_uncaused(owner) {
            return;
        }
        let sender_id = self.mailbox(sender).map(|mailbox| mailbox.mailbox_id);
        let tracked = self.rows.mailboxes.get_mut(owner);
        if let Some(mailbox) = tracked.and_then(Tracked::change) {
            mailbox.caused_by = sender_id;
        }
        if let Some(sender_id) = sender_id {
            *self.unused_mailboxes.entry(sender_id).or_default() += 1;
        }
    }
}
