//! The shared part of a message: one row, whoever holds it.

use bytes::Bytes;

use crate::content::Content;
use crate::expiry;
use crate::id::{MessageId, ProfileId};
use crate::mailbox::Msgbox;
use crate::number::saturating;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::segment::Segment;
use crate::sender::Sender;
use crate::time::Millis;
use crate::usage::AppUsage;

/// Origin of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// From a user.
    Regular,
    /// From the app, to named users.
    System,
    /// From the app, to everyone.
    Bulk,
}

impl MessageKind {
    const ALL: [Self; 3] = [Self::Regular, Self::System, Self::Bulk];

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Regular => 1,
            Self::System => 2,
            Self::Bulk => 3,
        }
    }

    /// The kind of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A message to be sent, apart from its recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Sender as readers see it.
    pub sender: Sender,
    /// Content.
    pub content: Content,
    /// Encoded notification for the recipients' devices.
    pub notification: Option<Bytes>,
    /// Lifetime in milliseconds; none: the policy's default.
    pub lifetime_ms: Option<i64>,
}

impl Draft {
    /// A draft without a notification, of the default lifetime.
    #[must_use]
    pub const fn new(sender: Sender, content: Content) -> Self {
        Self {
            sender,
            content,
            notification: None,
            lifetime_ms: None,
        }
    }

    /// Checks the draft of the app itself against its policy.
    ///
    /// # Errors
    /// [`Refusal::LimitsExceeded`].
    pub fn check(&self, policy: &Policy) -> Result<(), Refusal> {
        Refusal::if_exceeded(self.content.exceeds(policy.max_content_bytes))
    }

    /// Returns what the draft adds to the usage of the app.
    #[must_use]
    pub fn usage(&self) -> AppUsage {
        AppUsage {
            bytes: saturating(self.content.encoded.len()),
            mailboxes: 0,
        }
    }
}

/// Holders of a message whose mailboxes, and entries of it, an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holders {
    /// No holder: the message alone.
    None,
    /// The sending user, if there is one.
    Sender,
    /// The sender, and the recipients that are listed in the message.
    All,
}

/// Message without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Id of the message, the same in every box.
    pub message_id: MessageId,
    /// Origin of the message.
    pub kind: MessageKind,
    /// Sender of the message.
    pub sender: Sender,
    /// Recipients: distinct, in bytewise order.
    pub to: Vec<ProfileId>,
    /// Segment of the recipients, if they are too many to be listed.
    pub segment: Option<Segment>,
    /// Notification for the recipients' devices, encoded; the push channel reads it.
    pub notification: Option<Bytes>,
    /// From 1; grows with every change of the content.
    pub version: i64,
    /// True once the content has been changed.
    pub modified: bool,
    /// Time of the send.
    pub send_ms: Millis,
    /// Time of the last change of the content.
    pub update_ms: Millis,
    /// Expiry of the message.
    pub expire_ms: Millis,
    /// Size of the content in bytes.
    pub size_bytes: i64,
}

impl Envelope {
    /// The envelope of a draft that is sent now, without recipients. The time of its id is
    /// the time of sending.
    #[must_use]
    pub fn sent(
        draft: &Draft,
        kind: MessageKind,
        message_id: MessageId,
        policy: &Policy,
        now: Millis,
    ) -> Self {
        let send_ms = message_id.time_ms().unwrap_or(now);
        let lifetime_ms = policy.lifetime_ms(draft.lifetime_ms, kind != MessageKind::Regular);
        Self {
            message_id,
            kind,
            sender: draft.sender.clone(),
            to: Vec::new(),
            segment: None,
            notification: draft.notification.clone(),
            version: 1,
            modified: false,
            send_ms,
            update_ms: send_ms,
            expire_ms: expiry::expire_ms(send_ms, lifetime_ms),
            size_bytes: saturating(draft.content.encoded.len()),
        }
    }

    /// Boxes that may hold the message: the sender's `sent`, the recipients' inboxes.
    pub fn holders(&self) -> impl Iterator<Item = (&ProfileId, Msgbox)> {
        let sent = self
            .sender
            .profile_id
            .iter()
            .map(|sender| (sender, Msgbox::Sent));
        sent.chain(self.to.iter().map(|recipient| (recipient, Msgbox::Inbox)))
    }

    /// Returns the boxes of some holders.
    pub fn boxes_of(&self, holders: Holders) -> impl Iterator<Item = (&ProfileId, Msgbox)> {
        let is_meant = move |msgbox| match holders {
            Holders::None => false,
            Holders::Sender => msgbox == Msgbox::Sent,
            Holders::All => true,
        };
        self.holders().filter(move |(_, msgbox)| is_meant(*msgbox))
    }

    /// Returns the number of recipients.
    #[must_use]
    pub fn to_count(&self) -> u32 {
        let listed = saturating(self.to.len());
        self.segment.map_or(listed, |segment| segment.recipients)
    }

    /// Returns true if the row outlives a deletion until it expires, because boxes may hold it.
    #[must_use]
    pub fn outlives_recall(&self) -> bool {
        self.kind == MessageKind::Bulk || self.segment.is_some()
    }

    /// Returns true if the profile is the sender.
    #[must_use]
    pub fn is_from(&self, profile: &ProfileId) -> bool {
        self.sender.profile_id.as_ref() == Some(profile)
    }
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Message without its content.
    pub envelope: Envelope,
    /// Content of the message.
    pub content: Content,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{from_user, profile, sent_at};

    #[test]
    fn boxes_of_holders_are_none_the_senders_or_all() {
        let send = from_user("ann", ["ann", "bob"]);
        let draft = &send.draft;
        let (kind, policy) = (MessageKind::Regular, Policy::default());
        let envelope = Envelope {
            to: send.to().to_vec(),
            ..Envelope::sent(draft, kind, sent_at(1), &policy, Millis(1))
        };
        let (ann, bob) = (profile("ann"), profile("bob"));
        let boxes = |holders| envelope.boxes_of(holders).collect::<Vec<_>>();
        assert_eq!(boxes(Holders::None), []);
        assert_eq!(boxes(Holders::Sender), [(&ann, Msgbox::Sent)]);
        let all = [
            (&ann, Msgbox::Sent),
            (&ann, Msgbox::Inbox),
            (&bob, Msgbox::Inbox),
        ];
        assert_eq!(boxes(Holders::All), all);
    }
}
