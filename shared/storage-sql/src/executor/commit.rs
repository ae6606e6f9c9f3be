//! The end of a batch: nobody is told anything before it is known to be durable.

use std::time::Duration;

use domain::MessageId;
use storage::Error;

use crate::backend::{Backend, Fate};
use crate::connection::{Connection, Transaction, fate, wrap};
use crate::error::Class;
use crate::rows::Call;
use crate::statement::Statement;
use crate::warm::Warm;

/// How long a commit that was not answered is asked about.
const ASK_FOR: Duration = Duration::from_secs(10);
/// How long to wait before asking again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// By what a transaction can be found again.
pub struct Traces {
    /// Its id, where the database has one.
    pub xid: Option<String>,
    /// A message that it has written, with its app.
    pub message: Option<(i64, MessageId)>,
}

static FIND_MESSAGE: Statement = Statement::new(
    2,
    "SELECT m.message_id FROM message m WHERE m.app_no = $1 AND m.message_id = $2",
);

/// Commits. If the answer gets lost, asks the database what became of the transaction.
///
/// # Errors
/// [`Error::Unknown`] if nobody can tell; after any other error nothing was committed.
pub async fn settle<DB: Backend>(
    pool: &Warm<DB>,
    transaction: Transaction<DB>,
    traces: Traces,
) -> Result<(), Error> {
    let Err(error) = transaction.commit().await else {
        return Ok(());
    };
    let Some(xid) = &traces.xid else {
        return Err(Error::Unknown(error.into()));
    };
    // A database that says that it did not commit is to be believed, unless it was going
    // away as it spoke.
    if error.as_database_error().is_some() && DB::classify(&error) != Class::Unavailable {
        return Err(wrap::<DB>(error));
    }
    tracing::warn!(db.transaction = %xid, "a commit was not answered; asking what became of it");
    match tokio::time::timeout(ASK_FOR, decided(pool, xid, &traces)).await {
        Ok(Fate::Committed) => Ok(()),
        Ok(Fate::Aborted) => Err(Error::Unavailable(error.into())),
        Ok(Fate::InProgress | Fate::Unknown) | Err(_) => Err(Error::Unknown(error.into())),
    }
}

/// Asks until there is an answer.
///
/// A database that crashed gives the ids of transactions that it has forgotten to others.
/// So that one of that id has committed tells nothing; that it has written our message does.
async fn decided<DB: Backend>(pool: &Warm<DB>, xid: &str, traces: &Traces) -> Fate {
    loop {
        match fate(pool, xid).await {
            Ok(Fate::Committed) => match has_written(pool, traces).await {
                Ok(true) => return Fate::Committed,
                Ok(false) => return Fate::Unknown,
                Err(_) => {}
            },
            Ok(Fate::InProgress) | Err(_) => {}
            Ok(fate) => return fate,
        }
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
    }
}

/// Whether what the transaction has written is there. Not if it wrote no message, or one
/// that was deleted since.
async fn has_written<DB: Backend>(pool: &Warm<DB>, traces: &Traces) -> Result<bool, Error> {
    let Some((app_no, message_id)) = traces.message else {
        return Ok(false);
    };
    let call = Call::of(&FIND_MESSAGE).with(app_no).with(message_id.uuid());
    let rows = Connection::of(pool).await?.fetch(call).await?;
    Ok(!rows.is_empty())
}
