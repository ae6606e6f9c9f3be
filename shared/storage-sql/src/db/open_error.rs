//! Errors of opening a store.

use std::io;
use std::path::PathBuf;

use storage::Error;

/// Reason why a database cannot be used, whatever its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// Texts have another encoding than UTF8.
    #[error(
        "the database has encoding {found}, this program needs UTF8; a new database has it by \
         CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding {
        /// Encoding of the database.
        found: String,
    },
    /// Citus distributes the rows of a table over nodes.
    #[error(
        "the rows of table {table} are distributed by Citus, which this program does not work \
         with; SELECT undistribute_table('{table}') brings them together, and a schema that is \
         distributed as a whole works"
    )]
    Distributed {
        /// The table, the first of them by name.
        table: String,
    },
}

/// An error of opening a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The url is neither of `SQLite` nor of `PostgreSQL`.
    #[error("the database url must begin with sqlite: or postgres:")]
    UnknownDatabase,
    /// The url is malformed.
    #[error("the database url is malformed")]
    Url(#[source] sqlx::Error),
    /// The database is not a file, such as `sqlite::memory:`.
    #[error("the database must be a file")]
    NotAFile,
    /// There is no file, and none may be created.
    #[error("{} does not exist; `postroom serve` or `postroom migrate up` creates it", .0.display())]
    Missing(PathBuf),
    /// Another process serves the file.
    #[error("{} is in use: an SQLite file serves one process at a time", .0.display())]
    InUse(PathBuf),
    /// The file, or the lock beside it, cannot be accessed.
    #[error("{} cannot be opened", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// Users beyond its owner and group may access the file.
    #[error(
        "{} has mode {mode:04o}, and anybody could read messages: chmod o= {}",
        path.display(),
        path.display()
    )]
    Exposed {
        /// Path of the file.
        path: PathBuf,
        /// Permissions of the file.
        mode: u32,
    },
    /// The database does not suit this program.
    #[error(transparent)]
    Unsuitable(#[from] Unsuitable),
    /// The schema is too old for this program.
    #[error(
        "the database has schema version {found}, this program needs {lowest} or a later one; \
         `postroom migrate up` brings it up to date"
    )]
    TooOld {
        /// The version of the database.
        found: i64,
        /// The lowest version that this program works with.
        lowest: i64,
    },
    /// The schema is too new for this program.
    #[error(
        "the database has schema version {found}, this program knows none beyond {highest}; \
         it needs a newer program"
    )]
    TooNew {
        /// The version of the database.
        found: i64,
        /// The highest version that this program knows.
        highest: i64,
    },
    /// The database cannot be reached, or failed.
    #[error("the database cannot be used")]
    Store(#[from] Error),
}
