//! The store, opened as soon as its database can be reached.

use std::sync::Arc;

use anyhow::Context as _;
use storage::{Error, Store};
use storage_sql::{OpenError, Options};
use tokio::time::sleep;

use crate::config::DatabaseUrl;
use crate::limits::{OPEN_PAUSE, OPEN_PAUSE_MAX};

/// Opens the store. While a database server is unreachable, tries again, with growing pauses.
///
/// # Errors
/// If the database will not do, or an embedded one cannot be opened.
pub async fn open(database: &DatabaseUrl, options: &Options) -> anyhow::Result<Arc<dyn Store>> {
    let mut pause = OPEN_PAUSE;
    loop {
        match storage_sql::open(options).await {
            Err(OpenError::Store(error)) if is_transient(&error) && !database.is_embedded() => {
                tracing::warn!(%database, error.source = error.chain(), "store.unreachable");
            }
            opened => return opened.with_context(|| format!("cannot open {database}")),
        }
        sleep(pause).await;
        pause = OPEN_PAUSE_MAX.min(pause * 2);
    }
}

/// Returns whether another attempt may succeed.
const fn is_transient(error: &Error) -> bool {
    match error {
        Error::Unavailable(_) | Error::Busy(_) | Error::Deadline | Error::Overloaded => true,
        Error::Refused(_) | Error::Unknown(_) | Error::Corrupt { .. } | Error::Internal(_) => false,
    }
}
