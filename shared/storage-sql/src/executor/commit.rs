//! The end of a batch: nobody is told anything before it is known to be durable.

use std::time::Duration;

use sqlx::Pool;
use storage::Error;

use crate::backend::{Backend, Fate};
use crate::connection::{Transaction, fate, wrap};
use crate::error::Class;

/// How long a commit that was not answered is asked about.
const ASK_FOR: Duration = Duration::from_secs(10);
/// How long to wait before asking again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Commits. If the answer gets lost, asks the database what became of the transaction.
///
/// # Errors
/// [`Error::Unknown`] if nobody can tell; after any other error nothing was committed.
pub async fn settle<DB: Backend>(
    pool: &Pool<DB>,
    transaction: Transaction<DB>,
    xid: Option<String>,
) -> Result<(), Error> {
    let Err(error) = transaction.commit().await else {
        return Ok(());
    };
    let Some(xid) = xid else {
        return Err(Error::Unknown(error.into()));
    };
    // A database that says that it did not commit is to be believed, unless it was going
    // away as it spoke.
    if error.as_database_error().is_some() && DB::classify(&error) != Class::Unavailable {
        return Err(wrap::<DB>(error));
    }
    tracing::warn!(db.transaction = %xid, "a commit was not answered; asking what became of it");
    match tokio::time::timeout(ASK_FOR, decided(pool, &xid)).await {
        Ok(Fate::Committed) => Ok(()),
        Ok(Fate::Aborted) => Err(Error::Unavailable(error.into())),
        Ok(Fate::InProgress | Fate::Unknown) | Err(_) => Err(Error::Unknown(error.into())),
    }
}

/// Asks until there is an answer.
async fn decided<DB: Backend>(pool: &Pool<DB>, xid: &str) -> Fate {
    loop {
        match fate(pool, xid).await {
            Ok(Fate::InProgress) | Err(_) => tokio::time::sleep(ASK_AGAIN_AFTER).await,
            Ok(fate) => return fate,
        }
    }
}
