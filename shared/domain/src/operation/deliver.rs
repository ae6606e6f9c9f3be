//! A message is sent: one entry in the inbox of each recipient, and for a sending user
//! one in the own `sent`.

use bytes::Bytes;

use super::{EntryRange, Footprint, Sent};
use crate::content::Content;
use crate::expiry;
use crate::id::{MessageId, ProfileId};
use crate::ledger::{Ledger, NewEntry};
use crate::mailbox::Msgbox;
use crate::message::{Envelope, Message, MessageKind};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::sender::Sender;
use crate::violation::{Reason, Violations};

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliver {
    from: Sender,
    to: Vec<ProfileId>,
    to_as_sent: usize,
    content: Content,
    notification: Option<Bytes>,
    lifetime_ms: Option<i64>,
}

impl Deliver {
    /// A message from somebody to those profiles, however often each is named.
    #[must_use]
    pub fn new(from: Sender, mut to: Vec<ProfileId>, content: Content) -> Self {
        let to_as_sent = to.len();
        to.sort_unstable();
        to.dedup();
        Self {
            from,
            to,
            to_as_sent,
            content,
            notification: None,
            lifetime_ms: None,
        }
    }

    /// With something to show on the recipients' devices.
    #[must_use]
    pub fn with_notification(mut self, notification: Option<Bytes>) -> Self {
        self.notification = notification;
        self
    }

    /// With a lifetime of its own.
    #[must_use]
    pub const fn with_lifetime_ms(mut self, lifetime_ms: Option<i64>) -> Self {
        self.lifetime_ms = lifetime_ms;
        self
    }

    pub(super) fn footprint(&self) -> Footprint {
        let sender = self.from.profile_id.as_ref();
        let overflow = |sender: &ProfileId| EntryRange::Overflow(sender.clone(), Msgbox::Sent);
        Footprint {
            mailboxes: sender.into_iter().chain(&self.to).cloned().collect(),
            entries: sender.map(overflow).into_iter().collect(),
            ..Footprint::default()
        }
    }

    pub(super) fn apply(
        &self,
        ledger: &mut Ledger,
        message_id: MessageId,
    ) -> Result<Sent, Refusal> {
        let policy = ledger.policy();
        self.check(&policy)?;
        let room = i64::from(policy.max_box_messages);
        let has_room = |recipient: &&ProfileId| {
            ledger
                .mailbox(recipient)
                .is_some_and(|mailbox| mailbox.counts.inbox_total < room)
        };
        let takers: Vec<&ProfileId> = self.to.iter().filter(has_room).collect();
        if takers.is_empty() {
            return Err(Refusal::BoxFull);
        }

        let message = self.message(ledger, &policy, message_id);
        let Envelope {
            send_ms, expire_ms, ..
        } = message.envelope;
        let entry = |msgbox| NewEntry {
            msgbox,
            message_id,
            expire_ms,
        };
        ledger.add_message(message);
        for recipient in &takers {
            ledger.add_entry(recipient, entry(Msgbox::Inbox));
        }
        if let Some(sender) = &self.from.profile_id {
            make_room(ledger, sender, room);
            ledger.add_entry(sender, entry(Msgbox::Sent));
        }
        Ok(Sent {
            message_id,
            requested: number(self.to.len()),
            actual: number(takers.len()),
            send_ms,
            expire_ms,
        })
    }

    /// What the app's policy says about it.
    fn check(&self, policy: &Policy) -> Result<(), Refusal> {
        let mut violations = Violations::none();
        let sender = self.from.profile_id.as_ref();
        let max = policy.max_recipients;
        if sender.is_some() && self.to_as_sent > max as usize {
            violations.add(
                "to",
                Reason::MaxRecipientsExceeded,
                format!(
                    "names {} recipients, at most {max} are allowed",
                    self.to_as_sent
                ),
            );
        }
        self.content
            .check_size(policy.max_content_bytes, "content", &mut violations);
        violations.check().map_err(Refusal::Invalid)?;
        let to_oneself = sender.is_some_and(|sender| self.to.contains(sender));
        if to_oneself && !policy.allow_self_send {
            return Err(Refusal::NotAllowed);
        }
        Ok(())
    }

    fn message(&self, ledger: &Ledger, policy: &Policy, message_id: MessageId) -> Message {
        let send_ms = message_id.time_ms().unwrap_or(ledger.now());
        let lifetime_ms = self.lifetime_ms.unwrap_or(policy.default_expiry_ms);
        let kind = match self.from.profile_id {
            Some(_) => MessageKind::Regular,
            None => MessageKind::System,
        };
        Message {
            envelope: Envelope {
                message_id,
                kind,
                from: self.from.clone(),
                to: self.to.clone(),
                notification: self.notification.clone(),
                version: 1,
                modified: false,
                send_ms,
                update_ms: send_ms,
                expire_ms: expiry::expire_ms(send_ms, lifetime_ms),
            },
            content: self.content.clone(),
        }
    }
}

/// A full `sent` forgets its oldest entries: what one sends is never refused for it.
fn make_room(ledger: &mut Ledger, sender: &ProfileId, room: i64) {
    let held = ledger
        .mailbox(sender)
        .map_or(0, |mailbox| mailbox.counts.sent_total);
    let surplus = usize::try_from(held + 1 - room).unwrap_or(0);
    let oldest = ledger.messages_in(sender, Msgbox::Sent);
    for message_id in oldest.into_iter().take(surplus) {
        ledger.remove_entry(sender, Msgbox::Sent, message_id);
    }
}

/// A number of recipients: at most [`crate::limits::RECIPIENTS_CAP`].
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
