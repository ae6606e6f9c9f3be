//! A user or the app sends a message to named profiles: one entry in the inbox of each
//! recipient, and one in `sent` of a sending user.

use super::{Apply, EntryRange, Footprint, Sent, UserSend, Weight};
use crate::id::ProfileId;
use crate::ledger::{Ledger, NewEntry, SenderRoom};
use crate::limits::SENT_DROPPED_MAX;
use crate::mailbox::Msgbox;
use crate::message::{Draft, Envelope, Message, MessageKind};
use crate::number::saturating;
use crate::policy::Policy;
use crate::quota::KeptQuota;
use crate::refusal::{LimitExceeded, Refusal};

/// A message to named profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// Message to send.
    pub draft: Draft,
    /// Distinct recipients, in bytewise order.
    to: Vec<ProfileId>,
    /// Number of recipients in the request, duplicates counted.
    named: usize,
}

impl SendMessage {
    /// A message to profiles, each of which may be named more than once.
    #[must_use]
    pub fn new(draft: Draft, mut to: Vec<ProfileId>) -> Self {
        let named = to.len();
        to.sort_unstable();
        to.dedup();
        Self { draft, to, named }
    }

    /// Distinct recipients, in bytewise order.
    #[must_use]
    pub fn to(&self) -> &[ProfileId] {
        &self.to
    }

    const fn sender(&self) -> Option<&ProfileId> {
        self.draft.sender.profile_id.as_ref()
    }

    /// Checks the message against the app's policy.
    fn check(&self, policy: &Policy) -> Result<(), Refusal> {
        let (named, max) = (self.named, policy.max_recipients);
        let too_many = self.sender().is_some() && named > max as usize;
        let recipients = too_many.then_some(LimitExceeded::Recipients { named, max });
        let content = self.draft.content.exceeds(policy.max_content_bytes);
        let exceeded = recipients.into_iter().chain(content);
        Refusal::if_exceeded(exceeded.chain(self.exceeded_lifetime(policy)))?;
        let to_oneself = self.sender().is_some_and(|sender| self.to.contains(sender));
        if to_oneself && !policy.allow_self_send {
            return Err(Refusal::NotAllowed);
        }
        Ok(())
    }

    /// Returns the lifetime of a user's message, if it is too long.
    fn exceeded_lifetime(&self, policy: &Policy) -> Option<LimitExceeded> {
        let lifetime_ms = self.draft.lifetime_ms.filter(|_| self.sender().is_some())?;
        let max_ms = policy.max_expiry_ms;
        (lifetime_ms > max_ms).then_some(LimitExceeded::Lifetime {
            lifetime_ms,
            max_ms,
        })
    }

    /// Returns whether the message may go to a recipient: users write to strangers only if the policy
    /// allows it.
    fn is_reached(&self, ledger: &Ledger, policy: &Policy, recipient: &ProfileId) -> bool {
        if self.sender().is_none_or(|sender| sender == recipient) {
            return true;
        }
        // None is there if the policy has changed since the mailboxes of the batch were created.
        let mailbox = ledger.mailbox(recipient);
        mailbox.is_some_and(|mailbox| mailbox.known || policy.allow_unknown_recipients)
    }

    /// Checks what is kept of the sender and of the app.
    fn check_kept(
        &self,
        ledger: &Ledger,
        policy: &Policy,
        takers: &[(&ProfileId, Option<i64>)],
    ) -> Result<(), Refusal> {
        let mut more = self.draft.usage();
        if ledger.has_usage() {
            let is_new =
                |owner: &&ProfileId| ledger.is_abandoned(owner) && !self.is_blocked(ledger, owner);
            let owners = takers.iter().map(|(taker, _)| *taker).chain(self.sender());
            more.mailboxes = saturating(owners.filter(is_new).count());
        }
        ledger.check_usage(policy, more)?;
        let Some(sender) = self.sender() else {
            return Ok(());
        };
        let is_new = |(taker, _): &&(&ProfileId, Option<i64>)| {
            *taker != sender && ledger.is_uncaused(taker) && !self.is_blocked(ledger, taker)
        };
        let new: i64 = saturating(takers.iter().filter(is_new).count());
        let quotas = &policy.quotas;
        if !quotas.may_keep(ledger.kept_bytes(sender) + more.bytes) {
            return Err(Refusal::TooMuchKept(KeptQuota::ProfileKeptMib));
        }
        if new > 0 && !quotas.may_create(ledger.unused_mailboxes(sender) + new) {
            return Err(Refusal::TooMuchKept(KeptQuota::ProfileUnusedMailboxes));
        }
        Ok(())
    }

    /// Returns the room of the message in the inbox of a recipient.
    fn room(&self, ledger: &Ledger, policy: &Policy, recipient: &ProfileId) -> SenderRoom {
        let room = policy.inbox_room(self.sender().is_none());
        let mailbox = ledger.mailbox(recipient);
        if mailbox.is_none_or(|mailbox| mailbox.counts.inbox_total >= room) {
            return SenderRoom::Used;
        }
        let sender = self.sender();
        sender.map_or(SenderRoom::Free, |sender| {
            ledger.sender_room(policy, sender, recipient)
        })
    }

    /// Returns whether the message is kept from a recipient, which its sender is not told.
    fn is_blocked(&self, ledger: &Ledger, recipient: &ProfileId) -> bool {
        let sender = self.sender();
        sender.is_some_and(|sender| ledger.is_blocked_between(sender, recipient))
    }

    fn message(&self, ledger: &Ledger) -> Message {
        let kind = match self.sender() {
            Some(_) => MessageKind::Regular,
            None => MessageKind::System,
        };
        Message {
            envelope: Envelope {
                to: self.to.clone(),
                ..ledger.new_envelope(&self.draft, kind)
            },
            content: self.draft.content.clone(),
        }
    }
}

impl Apply for SendMessage {
    type Outcome = Sent;

    fn weight(&self) -> Weight {
        Weight::of_content(&self.draft.content, self.to.len() + 1)
    }

    fn actor(&self) -> Option<&ProfileId> {
        self.sender()
    }

    fn lane_key(&self) -> Option<&ProfileId> {
        self.sender().into_iter().chain(self.to.first()).min()
    }

    fn footprint(&self) -> Footprint {
        let sender = self.sender();
        let overflow = |sender: &ProfileId| EntryRange::Overflow(sender.clone(), Msgbox::Sent);
        let send = |sender: &ProfileId| UserSend {
            sender: sender.clone(),
            to: self.to.clone(),
        };
        let mailboxes = match sender {
            Some(sender) => [sender.clone()].into(),
            None => self.to.iter().cloned().collect(),
        };
        Footprint {
            mailboxes,
            sends: sender.map(send).into_iter().collect(),
            new_unread: 1,
            entries: sender.map(overflow).into_iter().collect(),
            ..Footprint::default()
        }
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<Sent, Refusal> {
        let policy = ledger.policy();
        self.check(&policy)?;
        let is_reached = |recipient: &&ProfileId| self.is_reached(ledger, &policy, recipient);
        if !self.to.iter().any(|recipient| is_reached(&recipient)) {
            return Err(Refusal::RecipientsUnknown);
        }
        let taker = |recipient| match self.room(ledger, &policy, recipient) {
            SenderRoom::Free => Some((recipient, None)),
            SenderRoom::Noted(sender_id) => Some((recipient, Some(sender_id))),
            SenderRoom::Used => None,
        };
        let reached = self.to.iter().filter(is_reached);
        let takers: Vec<(&ProfileId, Option<i64>)> = reached.filter_map(taker).collect();
        if takers.is_empty() {
            return Err(Refusal::BoxFull);
        }
        self.check_kept(ledger, &policy, &takers)?;

        let message = self.message(ledger);
        let Envelope {
            message_id,
            send_ms,
            expire_ms,
            ..
        } = message.envelope;
        let entry = |msgbox, sender_id| NewEntry {
            msgbox,
            message_id,
            content_version: 1,
            expire_ms,
            sender_id,
        };
        ledger.add_message(message);
        for (recipient, sender_id) in &takers {
            if !self.is_blocked(ledger, recipient) {
                ledger.add_entry(recipient, entry(Msgbox::Inbox, *sender_id));
                match self.sender() {
                    Some(sender) => ledger.cause_mailbox(recipient, sender),
                    None => ledger.know(recipient),
                }
            }
        }
        if let Some(sender) = self.sender() {
            make_room(ledger, sender, i64::from(policy.max_box_messages));
            ledger.add_entry(sender, entry(Msgbox::Sent, None));
        }
        Ok(Sent {
            message_id,
            requested: saturating(self.to.len()),
            actual: saturating(takers.len()),
            send_ms,
            expire_ms,
        })
    }
}

/// A full `sent` forgets its oldest entries: what one sends is never refused for it. It
/// forgets so many at once, and the rest with the next sends.
fn make_room(ledger: &mut Ledger, sender: &ProfileId, room: i64) {
    let held = ledger
        .mailbox(sender)
        .map_or(0, |mailbox| mailbox.counts.sent_total);
    let surplus = (held + 1 - room).clamp(0, i64::from(SENT_DROPPED_MAX));
    let surplus = usize::try_from(surplus).unwrap_or(0);
    let oldest = ledger.messages_in(sender, Msgbox::Sent);
    for message_id in oldest.into_iter().take(surplus) {
        ledger.remove_entry(sender, Msgbox::Sent, message_id);
    }
}

#[cfg(test)]
mod tests;
