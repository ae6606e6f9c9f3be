//! Why an operation was not carried out. Nothing has changed then.

use crate::violation::Violations;

/// Why the rules refuse an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request breaks a limit that the app's policy sets.
    Invalid(Violations),
    /// There is no such message, or it is not the caller's: the same answer.
    NotFound,
    /// The caller expected another version.
    VersionMismatch {
        /// What the caller expected.
        expected: i64,
        /// What is.
        current: i64,
    },
    /// The app's policy, or the rules, do not allow it to this caller.
    NotAllowed,
    /// The request id was used for something else.
    RequestIdReused,
    /// No inbox had room for the message.
    BoxFull,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(_) => write!(f, "the request breaks the app's limits"),
            Self::NotFound => write!(f, "no such message"),
            Self::VersionMismatch { expected, current } => {
                write!(f, "expected version {expected}, found {current}")
            }
            Self::NotAllowed => write!(f, "not allowed by policy"),
            Self::RequestIdReused => write!(f, "the request id was used for something else"),
            Self::BoxFull => write!(f, "no inbox has room"),
        }
    }
}

impl std::error::Error for Refusal {}
