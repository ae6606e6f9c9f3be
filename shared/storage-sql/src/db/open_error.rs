//! Errors of opening a store.

use storage::Error;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The url names no database that this program knows.
    #[error("the database url must begin with sqlite: or postgres:")]
    UnknownDatabase,
    /// The url is malformed.
    #[error("the database url is malformed")]
    Url(#[source] sqlx::Error),
    /// The schema is too old for this program.
    #[error(
        "the database has schema version {found}, this program needs {lowest} or a later one; \
         `postroom migrate up` brings it up to date"
    )]
    TooOld {
        /// What the database has.
        found: i64,
        /// The least that works.
        lowest: i64,
    },
    /// The schema is too new for this program.
    #[error(
        "the database has schema version {found}, this program knows none beyond {highest}; \
         it needs a newer program"
    )]
    TooNew {
        /// What the database has.
        found: i64,
        /// The greatest that works.
        highest: i64,
    },
    /// The database could not be asked.
    #[error("the database cannot be used")]
    Store(#[from] Error),
}
