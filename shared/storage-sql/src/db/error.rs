//! What the errors of a database mean.

use std::fmt::Display;

use sqlx::Error;
use storage::Contention;

/// A kind of database error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Somebody else was in the way: trying again may help.
    Conflict,
    /// The statement took too long.
    Timeout,
    /// The database is away, full, or takes no writes.
    Unavailable,
    /// The file is damaged.
    Corrupt,
    /// A bug.
    Other,
}

impl ErrorClass {
    /// The class of an error that the database itself did not report.
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

    /// The store's error for a database error of this class.
    pub fn wrap(self, error: Error) -> storage::Error {
        match self {
            Self::Conflict => storage::Error::Busy(Contention::Transaction(error.into())),
            Self::Timeout => storage::Error::Deadline,
            Self::Unavailable | Self::Corrupt => storage::Error::Unavailable(error.into()),
            Self::Other => storage::Error::Internal(error.into()),
        }
    }
}

/// A value in the database that is not what it should be.
pub fn corrupt(table: &'static str, column: &'static str, key: &dyn Display) -> storage::Error {
    storage::Error::Corrupt {
        table,
        column,
        key: key.to_string(),
    }
}

/// A statement that changed another number of rows than it should.
pub fn miscounted(what: &'static str, expected: usize, actual: u64) -> storage::Error {
    storage::Error::Internal(format!("{what}: {actual} rows changed, not {expected}").into())
}
