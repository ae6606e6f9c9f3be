//! The errors of a database, by class.

use std::fmt::Display;

use sqlx::Error;
use storage::Contention;

/// The class of a database error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Another transaction was in the way: a retry may succeed.
    Conflict,
    /// The statement exceeded a time limit.
    Timeout,
    /// The database is unreachable, full or read-only.
    Unavailable,
    /// The database file is damaged.
    Corrupt,
    /// Any other error: a bug.
    Other,
}

impl ErrorClass {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::Other => "other",
        }
    }

    /// The class of an error that is not the database's own report.
    pub fn of_connection(error: &Error) -> Self {
        match error {
            Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed => Self::Unavailable,
            _ => Self::Other,
        }
    }

    /// Returns the store's error for a database error of this class.
    pub fn wrap(self, error: Error) -> storage::Error {
        match self {
            Self::Conflict => storage::Error::Busy(Contention::Transaction(error.into())),
            Self::Timeout => storage::Error::Deadline,
            Self::Unavailable | Self::Corrupt => storage::Error::Unavailable(error.into()),
            Self::Other => storage::Error::Internal(error.into()),
        }
    }
}

/// Returns the error of a malformed value, with the key of its row.
pub fn corrupt(table: &'static str, column: &'static str, key: &dyn Display) -> storage::Error {
    storage::Error::Corrupt {
        table,
        column,
        key: key.to_string(),
    }
}

/// Returns the error of a statement that changed an unexpected number of rows.
pub fn miscounted(table: &'static str, expected: usize, actual: u64) -> storage::Error {
    storage::Error::Internal(format!("{table}: {actual} rows changed, not {expected}").into())
}
