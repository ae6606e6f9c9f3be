//! Settling of a mailbox in the reference.

use std::collections::BTreeSet;

use domain::bulk::{BulkEvent, MessageChange};
use domain::operation::Apply as _;
use domain::{
    Action, Audience, Message, MessageId, MessageKind, Millis, Msgbox, Policy, ProfileId,
};

use super::mailbox::ReferenceMailbox;
use super::{ReferenceAction, ReferenceApp};

impl ReferenceApp {
    /// Settles all mailboxes that an action reads, and creates the missing ones.
    pub(super) fn settle_all_in(&mut self, policy: &Policy, action: &ReferenceAction) {
        let to_unknown = self.settings.over(policy).allow_unknown_recipients;
        for owner in self.seen_by(action) {
            let is_there = self.mailboxes.contains_key(&owner);
            if is_there || creates(action, &owner, to_unknown) {
                self.settle(policy, &owner);
            }
        }
    }

    /// Settles all mailboxes in which something may have expired.
    pub(super) fn settle_expired(&mut self, policy: &Policy) {
        let now = self.now;
        let due = |mailbox: &ReferenceMailbox| mailbox.next_expiry.is_some_and(|next| next <= now);
        let due = self.mailboxes.iter().filter(|(_, mailbox)| due(mailbox));
        let owners: Vec<ProfileId> = due.map(|(owner, _)| owner.clone()).collect();
        for owner in owners {
            self.settle(policy, &owner);
        }
    }

    /// Settles the senders of the messages that are forgotten: what is kept of them changes.
    pub(super) fn settle_senders(&mut self, policy: &Policy, kept_since: Millis) {
        let envelopes = self.messages.values().map(|message| &message.envelope);
        let forgotten = envelopes.filter(|envelope| envelope.expire_ms <= kept_since);
        let senders = forgotten.filter_map(|envelope| envelope.sender.profile_id.clone());
        let senders: BTreeSet<ProfileId> = senders.collect();
        for sender in senders {
            if self.mailboxes.contains_key(&sender) {
                self.settle(policy, &sender);
            }
        }
    }

    pub(super) fn settle(&mut self, policy: &Policy, owner: &ProfileId) {
        let (now, joined) = (self.now, self.events_ever);
        let mailbox = self
            .mailboxes
            .entry(owner.clone())
            .or_insert_with(|| ReferenceMailbox::joining_after(joined));
        let lost = mailbox.lose_expired(now);
        let after = mailbox.bulk_seen;
        *self.met.entry("expired").or_default() += lost;
        let pending = self.events.iter().filter(|event| event.bulk_no > after);
        let pending: Vec<BulkEvent> = pending
            .filter(|event| event.expire_ms > now)
            .copied()
            .collect();
        for event in pending {
            self.take(policy, owner, &event);
        }
        self.mailbox(owner).bulk_seen = self.events_ever;
    }

    fn take(&mut self, policy: &Policy, owner: &ProfileId, event: &BulkEvent) {
        let now = self.now;
        let message_id = event.message_id;
        let message = self.messages.get(&message_id).cloned();
        let mut met = None;
        let mailbox = self.mailbox(owner);
        let is_late = event.bulk_no <= mailbox.bulk_joined;
        let is_meant = event.audience == Audience::Everyone || !is_late;
        let room = policy.max_box_messages as usize;
        match (event.change, message) {
            (MessageChange::Sent, Some(message)) => {
                let version = message.envelope.version;
                if is_meant && mailbox.held(Msgbox::Inbox).len() < room {
                    mailbox.receive_bulk(&message.envelope, now);
                    self.tally(message_id, |tally| tally.settled += 1);
                    met = Some(match (is_late, version) {
                        (true, _) => "taken by a newcomer",
                        (false, 1) => "taken",
                        (false, _) => "taken in a later version",
                    });
                }
            }
            (MessageChange::Updated, Some(message)) => {
                let version = message.envelope.version;
                let entry = mailbox.entry(Msgbox::Inbox, message_id);
                if entry.is_some_and(|entry| entry.content_version != version) {
                    mailbox.change(Msgbox::Inbox, message_id, now, |entry| {
                        entry.content_version = version;
                    });
                    met = Some("updated");
                }
            }
            (MessageChange::Recalled, _) => {
                let held = mailbox.lose(Msgbox::Inbox, message_id, now);
                met = Some(if held { "recalled" } else { "recalled unseen" });
            }
            (MessageChange::Sent | MessageChange::Updated, None) => {}
        }
        if let Some(met) = met {
            *self.met.entry(met).or_default() += 1;
        }
    }

    /// A message that is there for everybody but the past.
    pub(super) fn message(&self, message_id: MessageId) -> Option<&Message> {
        let message = self.messages.get(&message_id);
        message.filter(|message| message.envelope.expire_ms > self.now)
    }

    /// True if a profile sent a message or holds it, or it is to everyone.
    fn is_claimed(&self, owner: &ProfileId, message_id: MessageId) -> bool {
        let is_own = |message: &Message| {
            let envelope = &message.envelope;
            envelope.kind == MessageKind::Bulk || envelope.is_from(owner)
        };
        let mailbox = self.mailboxes.get(owner);
        self.messages.get(&message_id).is_some_and(is_own)
            || mailbox.is_some_and(|it| it.entry(Msgbox::Inbox, message_id).is_some())
    }

    fn seen_by(&self, action: &ReferenceAction) -> Vec<ProfileId> {
        let holders = |message_ids: &[MessageId]| {
            let there = message_ids.iter().filter(|id| self.message(**id).is_some());
            there
                .flat_map(|id| self.places(*id))
                .map(|(owner, _)| owner)
                .collect::<Vec<_>>()
        };
        let and = |owner: &ProfileId, mut owners: Vec<ProfileId>| {
            owners.push(owner.clone());
            owners
        };
        // Of messages of others, the holders are not looked at.
        let claimed = |owner: &ProfileId, message_ids: &[MessageId]| {
            let ids = message_ids.iter().copied();
            let claimed: Vec<MessageId> = ids.filter(|id| self.is_claimed(owner, *id)).collect();
            holders(&claimed)
        };
        match action {
            ReferenceAction::Send(message) => {
                let sender = message.draft.sender.profile_id.iter();
                sender.chain(&message.to).cloned().collect()
            }
            ReferenceAction::Act(action) => match action {
                Action::SendMessage(_) => unreachable!("a message is sent as a message"),
                Action::SendToProfiles(_) | Action::DeliverChunk(_) | Action::CancelSendJob(_) => {
                    unreachable!("segments have tests of their own")
                }
                Action::CreateMailbox(it) => vec![it.owner.clone()],
                Action::SettleMailbox(it) => vec![it.owner.clone()],
                Action::TrimTombstones(it) => vec![it.owner.clone()],
                Action::MarkMessagesRead(it) => vec![it.entries.owner.clone()],
                Action::MarkMessagesDelivered(it) => vec![it.entries().owner.clone()],
                Action::DeleteEntries(it) => vec![it.0.owner.clone()],
                Action::ClearMessages(it) => vec![it.owner.clone()],
                Action::BlockProfile(it) => vec![it.owner.clone()],
                Action::UnblockProfile(it) => vec![it.owner.clone()],
                Action::DeleteForEveryone(it) => {
                    and(&it.owner, claimed(&it.owner, it.message_ids()))
                }
                Action::EditMessage(it) => and(&it.owner, claimed(&it.owner, &[it.message_id])),
                Action::UpdateMessage(it) => holders(&[it.message_id]),
                Action::DeleteMessage(it) => holders(&[it.message_id]),
                Action::DeleteMessages(it) => holders(it.message_ids()),
                Action::SendBulk(_)
                | Action::ExpireMessages(_)
                | Action::UpdateAppSettings(_)
                | Action::ExpireOrphans(_)
                | Action::CreateConversation(_)
                | Action::ChangeParticipants(_)
                | Action::LeaveConversation(_)
                | Action::UpdateConversationMetadata(_)
                | Action::RevokeTokens(_)
                | Action::EraseApp(_)
                | Action::EraseProfile(_)
                | Action::ForgetRecipient(_)
                | Action::DeleteMailbox(_)
                | Action::RecordRead(_) => Vec::new(),
            },
        }
    }
}

/// Returns whether an action creates the mailbox of an owner that it names. Holders of messages have
/// had theirs.
fn creates(action: &ReferenceAction, owner: &ProfileId, to_unknown: bool) -> bool {
    match action {
        ReferenceAction::Send(message) => {
            let sender = message.draft.sender.profile_id.as_ref();
            to_unknown || sender.is_none_or(|sender| sender == owner)
        }
        ReferenceAction::Act(action) => action.actor() == Some(owner),
    }
}
