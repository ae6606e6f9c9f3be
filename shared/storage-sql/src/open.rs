//! From a url to a store.

use std::sync::Arc;

use sqlx::migrate::Migrate;
use sqlx::{Postgres, Sqlite};
use storage::Store;

use crate::db::backend::{Backend, Purpose, postgres};
use crate::db::migrate::{self, MigrationStatus};
use crate::db::open_error::OpenError;
use crate::options::{DatabaseLink, FileAccess, Options};
use crate::store::SqlStore;

/// Opens a store. An embedded database is created, and gets its schema, unless
/// [`FileAccess::Existing`] forbids it; another must have it already.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(options: &Options) -> Result<Arc<dyn Store>, OpenError> {
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
pub async fn migrate_status(options: &Options) -> Result<Vec<MigrationStatus>, OpenError> {
    match Scheme::of(&options.url)? {
        Scheme::Sqlite => status_of_backend::<Sqlite>(options).await,
        Scheme::Postgres => status_of_backend::<Postgres>(options).await,
    }
}

/// Protection of what travels between a store and the database of a url.
///
/// # Errors
/// [`OpenError::UnknownDatabase`] and [`OpenError::Url`].
pub fn database_link(url: &str) -> Result<DatabaseLink, OpenError> {
    match Scheme::of(url)? {
        Scheme::Sqlite => Ok(DatabaseLink::Local),
        Scheme::Postgres => postgres::link(url),
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
    let pools = DB::pools(options, Purpose::Service)?;
    if DB::MIGRATES_ITSELF && options.file_access != FileAccess::Existing {
        migrate::up(&pools).await?;
    }
    migrate::check(&pools).await?;
    Ok(Arc::new(SqlStore::new(pools, options).await?))
}

async fn migrate_backend<DB: Backend>(options: &Options) -> Result<(), OpenError>
where
    DB::Connection: Migrate,
{
    let pools = DB::pools(options, Purpose::Schema)?;
    let run = migrate::up(&pools).await;
    pools.close().await;
    run
}

async fn status_of_backend<DB: Backend>(
    options: &Options,
) -> Result<Vec<MigrationStatus>, OpenError>
where
    DB::Connection: Migrate,
{
    let pools = DB::pools(options, Purpose::Schema)?;
    let status = migrate::status(&pools).await;
    pools.close().await;
    Ok(status?)
}
