//! Unread entries of one sender in one inbox.
//!
//! An entry notes its sender if it comes while the inbox has at least half as many unread entries
//! as the policy permits one sender. Only entries with a noted sender are counted, at most the
//! other half: so no sender has more unread entries than permitted, and an inbox with few of them
//! needs no count.

use super::Ledger;
use crate::id::ProfileId;
use crate::mailbox::Mailbox;
use crate::operation::Footprint;
use crate::policy::Policy;

/// Room of one sender in one inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderRoom {
    /// The inbox takes a message.
    Free,
    /// The inbox takes a message, whose entry notes the mailbox of the sender.
    Noted(i64),
    /// The inbox takes no message of the sender.
    Used,
}

impl Ledger {
    /// Maximum number of entries that become unread in one inbox by the operations of a footprint,
    /// and by settling.
    #[must_use]
    pub fn new_unread_max(&self, footprint: &Footprint) -> usize {
        footprint.new_unread + self.bulk.pending_count()
    }

    /// Adds the number of unread entries of a mailbox that note a sender, which was read.
    pub fn read_unread_of_sender(&mut self, mailbox_id: i64, sender_id: i64, unread: i64) {
        self.unread_of_senders
            .insert((mailbox_id, sender_id), unread);
    }

    /// Returns the room of a sender in the inbox of a profile. One's own is not limited.
    #[must_use]
    pub fn sender_room(
        &self,
        policy: &Policy,
        sender: &ProfileId,
        owner: &ProfileId,
    ) -> SenderRoom {
        let Some(noted_from) = policy.senders_noted_from().filter(|_| sender != owner) else {
            return SenderRoom::Free;
        };
        let has_many = |mailbox: &&Mailbox| mailbox.counts.inbox_unread >= noted_from;
        let mailbox = self.mailbox(owner).filter(has_many);
        let Some((mailbox, from)) = mailbox.zip(self.mailbox(sender)) else {
            return SenderRoom::Free;
        };
        let key = (mailbox.mailbox_id, from.mailbox_id);
        let unread = self.unread_of_senders.get(&key).copied().unwrap_or(0);
        if unread + noted_from < i64::from(policy.max_unread_per_sender) {
            SenderRoom::Noted(from.mailbox_id)
        } else {
            SenderRoom::Used
        }
    }

    /// Changes the number of unread entries of a mailbox that note a sender.
    pub(super) fn count_unread_of_sender(
        &mut self,
        mailbox_id: i64,
        sender_id: Option<i64>,
        by: i64,
    ) {
        if let Some(sender_id) = sender_id.filter(|_| by != 0) {
            let key = (mailbox_id, sender_id);
            *self.unread_of_senders.entry(key).or_default() += by;
        }
    }
}
