//! What can go wrong between asking a store and having an answer.

use std::error::Error as StdError;

use domain::Refusal;

/// Where an error comes from, for the log.
pub type Source = Box<dyn StdError + Send + Sync>;

/// Why a store did not do what was asked. Except after [`Error::Unknown`], nothing has
/// changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules refuse it.
    #[error("refused")]
    Refused(#[source] Refusal),
    /// More is asked than the store takes at once.
    #[error("the store has too much to do")]
    Overloaded,
    /// Others were in the way, also after some retries.
    #[error("the store is busy")]
    Busy(#[source] Source),
    /// It took longer than the caller would wait.
    #[error("the deadline has passed")]
    Deadline,
    /// The store cannot be reached, or takes no writes.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// The change may have been made or not: the store went away in between. Repeating the
    /// request with its id is safe.
    #[error("the outcome is not known")]
    Unknown(#[source] Source),
    /// A stored value is not what it should be.
    #[error("{table}.{column} of {key} is corrupt")]
    Corrupt {
        /// In which table.
        table: &'static str,
        /// In which column.
        column: &'static str,
        /// In which row.
        key: String,
    },
    /// A bug.
    #[error("the store has failed")]
    Internal(#[source] Source),
}

impl Error {
    /// The same, for somebody else who waited for the same; the source is its text.
    #[must_use]
    pub fn again(&self) -> Self {
        let text = |source: &Source| source.to_string().into();
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            Self::Overloaded => Self::Overloaded,
            Self::Busy(source) => Self::Busy(text(source)),
            Self::Deadline => Self::Deadline,
            Self::Unavailable(source) => Self::Unavailable(text(source)),
            Self::Unknown(source) => Self::Unknown(text(source)),
            Self::Corrupt { table, column, key } => Self::Corrupt {
                table,
                column,
                key: key.clone(),
            },
            Self::Internal(source) => Self::Internal(text(source)),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
