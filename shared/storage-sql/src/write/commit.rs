//! Commits, and finds out about a commit whose answer was lost.

use std::time::Duration;

use domain::MessageId;
use storage::Error;

use crate::db::backend::{Backend, TransactionStatus};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, Transaction, transaction_status, wrap};
use crate::db::pool::Pool;
use crate::table::message;

/// Time in which an unanswered commit is resolved.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two attempts to resolve.
const RESOLVE_INTERVAL: Duration = Duration::from_millis(50);

/// Identifies a transaction after the fact.
pub struct CommitMarker {
    /// The id of the transaction; none on `SQLite`.
    pub xid: Option<String>,
    /// A message that the transaction inserts, with its app.
    pub message: Option<(i64, MessageId)>,
}

/// Commits. If the answer is lost, looks the transaction up.
///
/// # Errors
/// [`Error::Unknown`] if it cannot be found out; after any other error nothing was committed.
pub async fn commit_or_resolve<DB: Backend>(
    pool: &Pool<DB>,
    transaction: Transaction<DB>,
    marker: CommitMarker,
) -> Result<(), Error> {
    let Err(error) = transaction.commit().await else {
        return Ok(());
    };
    let Some(xid) = &marker.xid else {
        return Err(Error::Unknown(error.into()));
    };
    if DB::is_rolled_back(&error) {
        return Err(wrap::<DB>(error));
    }
    tracing::warn!(db.transaction = %xid, "commit.unanswered");
    match tokio::time::timeout(RESOLVE_TIMEOUT, resolve(pool, xid, &marker)).await {
        Ok(TransactionStatus::Committed) => Ok(()),
        Ok(TransactionStatus::Aborted) => Err(Error::Unavailable(error.into())),
        Ok(TransactionStatus::InProgress | TransactionStatus::Unknown) | Err(_) => {
            Err(Error::Unknown(error.into()))
        }
    }
}

/// Looks the transaction up until its status is known.
///
/// After a crash the database gives the ids of lost transactions to others. So the status
/// "committed" proves nothing by itself; the message of our transaction does.
async fn resolve<DB: Backend>(
    pool: &Pool<DB>,
    xid: &str,
    marker: &CommitMarker,
) -> TransactionStatus {
    loop {
        match transaction_status(pool, xid).await {
            Ok(TransactionStatus::Committed) => match has_written(pool, marker).await {
                Ok(true) => return TransactionStatus::Committed,
                Ok(false) => return TransactionStatus::Unknown,
                Err(_) => {}
            },
            Ok(TransactionStatus::InProgress) | Err(_) => {}
            Ok(status) => return status,
        }
        tokio::time::sleep(RESOLVE_INTERVAL).await;
    }
}

/// Returns whether the message of the transaction is there: false also if the transaction
/// inserted none, or it was deleted since.
async fn has_written<DB: Backend>(pool: &Pool<DB>, marker: &CommitMarker) -> Result<bool, Error> {
    let Some((app_no, message_id)) = marker.message else {
        return Ok(false);
    };
    let find = BoundStatement::of(&message::FIND)
        .bind(app_no)
        .bind(message_id.uuid());
    let rows = Connection::of(pool).await?.fetch(find).await?;
    Ok(!rows.is_empty())
}
