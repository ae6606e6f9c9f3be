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

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
