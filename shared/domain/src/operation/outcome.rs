//! Outcomes of operations: stored with the request id, and returned again for a repeated one.

use serde::{Deserialize, Serialize};

use crate::audit::AuditId;
use crate::content::Digest;
use crate::erasure::AppErasure;
use crate::id::{ConversationId, MessageId};
use crate::policy::Settings;
use crate::revocation::Revocation;
use crate::segment::{JobId, JobReport};
use crate::time::Millis;

/// Result of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Success without further data.
    Done,
    /// A message was sent.
    Sent(Sent),
    /// Number of the asked-for entries or messages that are now as wished.
    Changed(u32),
    /// A message has a new content.
    Revised(Revision),
    /// New settings of the app.
    SettingsUpdated(Settings),
    /// A message was sent to a segment.
    SegmentSent(SegmentSent),
    /// Report on a job.
    Job(JobReport),
    /// Tokens of a profile were revoked.
    TokensRevoked(Revocation),
    /// The erasure of the app was scheduled or withdrawn.
    AppErasure(AppErasure),
    /// A conversation was created or found.
    ConversationCreated(ConversationCreated),
    /// A conversation has that version.
    ConversationVersion(ConversationVersion),
}

impl Outcome {
    /// Number of inboxes, messages or settings that were changed, for the audit log.
    #[must_use]
    pub fn affected(&self) -> i64 {
        match self {
            Self::Done
            | Self::Revised(_)
            | Self::SettingsUpdated(_)
            | Self::Job(_)
            | Self::TokensRevoked(_)
            | Self::AppErasure(_)
            | Self::ConversationCreated(_)
            | Self::ConversationVersion(_) => 1,
            Self::Sent(sent) => sent.actual.into(),
            Self::Changed(count) => (*count).into(),
            Self::SegmentSent(sent) => sent.accepted,
        }
    }

    /// Ids that the operation made, for the audit log.
    #[must_use]
    pub fn new_ids(&self) -> Vec<AuditId> {
        match self {
            Self::Sent(sent) => vec![AuditId::Message(sent.message_id)],
            Self::SegmentSent(sent) => vec![AuditId::Message(sent.message_id)],
            Self::Done
            | Self::Changed(_)
            | Self::Revised(_)
            | Self::SettingsUpdated(_)
            | Self::Job(_)
            | Self::TokensRevoked(_)
            | Self::AppErasure(_)
            | Self::ConversationCreated(_)
            | Self::ConversationVersion(_) => Vec::new(),
        }
    }
}

/// A message that was sent to a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSent {
    /// Job that delivers it.
    pub job_id: JobId,
    /// Id of the message.
    pub message_id: MessageId,
    /// Distinct recipients.
    pub accepted: i64,
    /// Number of duplicates among the named recipients.
    pub duplicates: i64,
    /// Time of the send.
    pub send_ms: Millis,
    /// Expiry of the message.
    pub expire_ms: Millis,
}

/// A message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Id of the message.
    pub message_id: MessageId,
    /// Distinct recipients.
    pub requested: u32,
    /// Inboxes that took it.
    pub actual: u32,
    /// Time of the send.
    pub send_ms: Millis,
    /// Expiry of the message.
    pub expire_ms: Millis,
}

/// A new version of a message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// The message.
    pub message_id: MessageId,
    /// New version of the message.
    pub version: i64,
    /// Time of the change.
    pub update_ms: Millis,
    /// Digest of the new content.
    pub digest: Digest,
}

/// A conversation that was created or found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationCreated {
    /// Id of the conversation.
    pub conversation_id: ConversationId,
    /// Outcome of the creation.
    pub outcome: CreationOutcome,
}

/// Outcome of the creation of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreationOutcome {
    /// A new conversation.
    Created,
    /// An existing conversation, with the same metadata if the request has any.
    Found,
    /// An existing conversation, with other metadata.
    FoundWithOtherMetadata,
}

/// Version of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationVersion(pub i64);

/// An outcome of another kind than its action's; a bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedOutcome(pub Outcome);

/// Conversions between an outcome and the value in it.
macro_rules! outcomes {
    ($($kind:ident => $value:ty,)*) => {
        $(impl From<$value> for Outcome {
            fn from(value: $value) -> Self {
                Self::$kind(value)
            }
        }

        impl TryFrom<Outcome> for $value {
            type Error = UnexpectedOutcome;

            fn try_from(outcome: Outcome) -> Result<Self, UnexpectedOutcome> {
                match outcome {
                    Outcome::$kind(value) => Ok(value),
                    other => Err(UnexpectedOutcome(other)),
                }
            }
        })*
    };
}

outcomes! {
    Sent => Sent,
    Changed => u32,
    Revised => Revision,
    SettingsUpdated => Settings,
    SegmentSent => SegmentSent,
    Job => JobReport,
    TokensRevoked => Revocation,
    AppErasure => AppErasure,
    ConversationCreated => ConversationCreated,
    ConversationVersion => ConversationVersion,
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl TryFrom<Outcome> for () {
    type Error = UnexpectedOutcome;

    fn try_from(outcome: Outcome) -> Result<Self, UnexpectedOutcome> {
        match outcome {
            Outcome::Done => Ok(()),
            other => Err(UnexpectedOutcome(other)),
        }
    }
}
