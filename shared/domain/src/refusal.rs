//! Refusals: the reasons for which an operation is not carried out. Nothing has changed then.

use std::fmt;

use crate::quota::KeptQuota;

/// Reason why the rules refuse an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request exceeds limits of the app's policy: all of them, one at least.
    LimitsExceeded(Vec<LimitExceeded>),
    /// The message does not exist, or the caller cannot see it.
    NotFound,
    /// The message or the settings do not have the expected version.
    VersionMismatch {
        /// Version that the caller expected.
        expected: i64,
        /// Current version.
        current: i64,
    },
    /// The app's policy, or the rules, do not allow it to this caller.
    NotAllowed,
    /// The request id was used for another request.
    RequestIdReused,
    /// No inbox has room for the message.
    BoxFull,
    /// As much is kept of the user or of the app as a quota allows.
    TooMuchKept(KeptQuota),
    /// No recipient is known, and the app's policy allows no others.
    RecipientsUnknown,
    /// The app has as many live bulk messages as it may have.
    TooManyBulk,
    /// The user blocks as many profiles as one may.
    TooManyBlocks,
    /// The conversation does not exist, or the caller is no participant.
    ConversationNotFound,
    /// The id was chosen for another conversation.
    ConversationIdInUse,
    /// The conversation does not have the expected version.
    ConversationVersionMismatch {
        /// Version that the caller expected.
        expected: i64,
        /// Current version.
        current: i64,
    },
    /// The caller blocks a profile that is to be a participant.
    ProfileBlocked,
    /// A participant has as many conversations as one may.
    ConversationsFull,
    /// A removal would leave one participant.
    TooFewParticipants,
}

/// A limit of the app's policy that a request exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitExceeded {
    /// More recipients of one message than a user may name.
    Recipients {
        /// Number of recipients in the request, duplicates counted.
        named: usize,
        /// Maximum number.
        max: u32,
    },
    /// Lifetime of a user's message that is too long.
    Lifetime {
        /// Lifetime in the request, in milliseconds.
        lifetime_ms: i64,
        /// Maximum lifetime in milliseconds.
        max_ms: i64,
    },
    /// Content of too many bytes.
    ContentBytes {
        /// Size of the content in bytes.
        bytes: usize,
        /// Maximum size in bytes.
        max: u32,
    },
    /// More participants of a conversation than there may be.
    Participants {
        /// Number of participants.
        named: usize,
        /// Maximum number.
        max: u32,
    },
    /// Metadata of too many bytes, below a first key or in all.
    Metadata {
        /// Size in bytes.
        bytes: usize,
        /// Maximum size in bytes.
        max: usize,
    },
}

impl Refusal {
    /// Checks that no limit is exceeded.
    ///
    /// # Errors
    /// [`Refusal::LimitsExceeded`].
    pub fn if_exceeded(exceeded: impl IntoIterator<Item = LimitExceeded>) -> Result<(), Self> {
        let exceeded: Vec<LimitExceeded> = exceeded.into_iter().collect();
        if exceeded.is_empty() {
            Ok(())
        } else {
            Err(Self::LimitsExceeded(exceeded))
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitsExceeded(_) => write!(f, "the request exceeds the app's limits"),
            Self::NotFound => write!(f, "no such message"),
            Self::VersionMismatch { expected, current }
            | Self::ConversationVersionMismatch { expected, current } => {
                write!(f, "expected version {expected}, found {current}")
            }
            Self::NotAllowed => write!(f, "not allowed by policy"),
            Self::RequestIdReused => write!(f, "the request id was used for another request"),
            Self::BoxFull => write!(f, "no inbox has room"),
            Self::TooMuchKept(quota) => write!(f, "more is kept than {} allows", quota.name()),
            Self::RecipientsUnknown => write!(f, "no recipient is known"),
            Self::TooManyBulk => write!(f, "the app has too many live bulk messages"),
            Self::TooManyBlocks => write!(f, "too many profiles are blocked"),
            Self::ConversationNotFound => write!(f, "no such conversation"),
            Self::ConversationIdInUse => write!(f, "the id is that of another conversation"),
            Self::ProfileBlocked => write!(f, "a participant is blocked"),
            Self::ConversationsFull => write!(f, "a participant has too many conversations"),
            Self::TooFewParticipants => write!(f, "too few participants would be left"),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipients { named, max } => {
                write!(f, "names {named} recipients, at most {max} are allowed")
            }
            Self::Lifetime {
                lifetime_ms,
                max_ms,
            } => {
                let (named, max) = (lifetime_ms.div_euclid(1_000), max_ms.div_euclid(1_000));
                write!(f, "is {named} s, at most {max} s are allowed")
            }
            Self::ContentBytes { bytes, max } => {
                write!(f, "has {bytes} bytes, at most {max} are allowed")
            }
            Self::Participants { named, max } => {
                write!(
                    f,
                    "would be {named} participants, at most {max} are allowed"
                )
            }
            Self::Metadata { bytes, max } => {
                write!(f, "would have {bytes} bytes, at most {max} are allowed")
            }
        }
    }
}
