//! From a url to a store.

use std::sync::Arc;

use sqlx::migrate::Migrate;
use sqlx::{Postgres, Sqlite};
use storage::{Error, MailStore};

use crate::backend::{Backend, Purpose};
use crate::migrate::{self, Step};
use crate::options::Options;
use crate::store::SqlStore;

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

/// Opens a store. An embedded database is created, and gets its schema; another must have
/// it already.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(options: &Options) -> Result<Arc<dyn MailStore>, OpenError> {
    match Scheme::of(&options.url)? {
        Scheme::Sqlite => Ok(open_backend::<Sqlite>(options).await?),
        Scheme::Postgres => Ok(open_backend::<Postgres>(options).await?),
    }
}

/// Brings the schema of a database up to date.
///
/// # Errors
/// See [`OpenError`].
pub async fn migrate_up(options: &Options) -> Result<(), OpenError> {
    match Scheme::of(&options.url)? {
        Scheme::Sqlite => migrate_backend::<Sqlite>(options).await,
        Scheme::Postgres => migrate_backend::<Postgres>(options).await,
    }
}

/// The steps of the schema, and which of them a database has.
///
/// # Errors
/// See [`OpenError`].
pub async fn migrate_status(options: &Options) -> Result<Vec<Step>, OpenError> {
    match Scheme::of(&options.url)? {
        Scheme::Sqlite => status_of_backend::<Sqlite>(options).await,
        Scheme::Postgres => status_of_backend::<Postgres>(options).await,
    }
}

enum Scheme {
    Sqlite,
    Postgres,
}

impl Scheme {
    fn of(url: &str) -> Result<Self, OpenError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err(OpenError::UnknownDatabase),
        }
    }
}

/// Opens a store on a database of a known kind.
///
/// # Errors
/// See [`OpenError`].
pub async fn open_backend<DB: Backend>(options: &Options) -> Result<Arc<SqlStore<DB>>, OpenError>
where
    DB::Connection: Migrate,
{
    let pools = DB::pools(options, Purpose::Service).map_err(OpenError::Url)?;
    if DB::MIGRATES_ITSELF {
        migrate::up(&pools).await?;
    }
    migrate::check(&pools).await?;
    Ok(Arc::new(SqlStore::new(pools, options).await?))
}

async fn migrate_backend<DB: Backend>(options: &Options) -> Result<(), OpenError>
where
    DB::Connection: Migrate,
{
    let pools = DB::pools(options, Purpose::Schema).map_err(OpenError::Url)?;
    let run = migrate::up(&pools).await;
    pools.close().await;
    run
}

async fn status_of_backend<DB: Backend>(options: &Options) -> Result<Vec<Step>, OpenError>
where
    DB::Connection: Migrate,
{
    let pools = DB::pools(options, Purpose::Schema).map_err(OpenError::Url)?;
    let status = migrate::status(&pools).await;
    pools.close().await;
    Ok(status?)
}
