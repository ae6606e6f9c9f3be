//! Errors of a store.

use std::error::Error as StdError;

use domain::Refusal;

/// Cause of an error, for the log.
pub type Source = Box<dyn StdError + Send + Sync>;

/// Error of a store. Nothing has changed, except possibly after [`Error::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the domain forbids the operation. Repeating it unchanged is pointless.
    #[error("refused")]
    Refused(#[source] Refusal),
    /// A queue or another limited resource is full. Repeat later.
    #[error("the store is overloaded")]
    Overloaded,
    /// Concurrent work was in the way, also after some retries. Repeat later.
    #[error("the store is busy")]
    Busy(#[source] Contention),
    /// The deadline has passed.
    #[error("the deadline has passed")]
    Deadline,
    /// The database cannot be reached, or accepts no writes. Repeat later.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// The connection was lost during a commit: the change may have been made or not. Repeating
    /// the operation with the same request id is safe.
    #[error("the outcome is not known")]
    Unknown(#[source] Source),
    /// A stored value is invalid. Repeating is pointless.
    #[error("{table}.{column} of {key} is corrupt")]
    Corrupt {
        /// Table of the value.
        table: &'static str,
        /// Column of the value.
        column: &'static str,
        /// Key of the row.
        key: String,
    },
    /// A bug. Repeating is pointless.
    #[error("the store has failed")]
    Internal(#[source] Source),
}

/// Cause of an [`Error::Busy`].
#[derive(Debug, thiserror::Error)]
pub enum Contention {
    /// The database gave way to another transaction: a lock that was not granted in time, a
    /// deadlock, or a serialization failure.
    #[error("another transaction is in the way")]
    Transaction(#[source] Source),
    /// Another transaction holds the lock of a row.
    #[error("another transaction has locked a row")]
    RowHeld,
    /// Rows changed between two statements of a read.
    #[error("a message has changed during a read")]
    ChangedDuringRead,
    /// A mailbox was due again after each of several settlings.
    #[error("a mailbox is due again after {attempts} attempts to settle it")]
    StillDue {
        /// Number of attempts.
        attempts: usize,
    },
}

impl Error {
    /// Returns a copy for another caller that waits for the same result. Sources are copied as
    /// text.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            Self::Overloaded => Self::Overloaded,
            Self::Busy(contention) => Self::Busy(contention.duplicate()),
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

impl Error {
    /// Returns the messages of the error and of its sources, without those that the one before
    /// contains, for a line of a log.
    #[must_use]
    pub fn chain(&self) -> String {
        error_chain(self)
    }
}

impl Contention {
    fn duplicate(&self) -> Self {
        match self {
            Self::Transaction(source) => Self::Transaction(text(source)),
            Self::RowHeld => Self::RowHeld,
            Self::ChangedDuringRead => Self::ChangedDuringRead,
            Self::StillDue { attempts } => Self::StillDue {
                attempts: *attempts,
            },
        }
    }
}

/// Returns the messages of an error and of its sources, without those that the one before contains.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut last = text.clone();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !last.contains(&message) {
            text = format!("{text}: {message}");
        }
        last = message;
        source = error.source();
    }
    text
}

fn text(source: &Source) -> Source {
    source.to_string().into()
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
