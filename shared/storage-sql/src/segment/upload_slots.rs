//! Upload slots: the bound on concurrent segment uploads, and what they share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::limits::{INTAKES_MAX, INTAKES_OF_APP_MAX};
use storage::{Clock, Error};
use tokio::time::timeout;

use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::transact;
use crate::db::pool::Pool;
use crate::db::retry;

/// Timeout for the turn to write, after which the upload is refused as overloaded.
const TURN_WITHIN: Duration = Duration::from_secs(10);
/// Timeout of the retries of a write that meets contention.
const TRIED_FOR: Duration = Duration::from_secs(10);

/// The upload slots of a store.
pub struct UploadSlots<DB: Backend> {
    pub read: Pool<DB>,
    pub clock: Arc<dyn Clock>,
    write: Pool<DB>,
    /// Number of slots taken, by app.
    taken: Mutex<HashMap<i64, usize>>,
    /// Lets one upload write at a time, so that uploads do not use up the connections.
    turn: tokio::sync::Mutex<()>,
}

impl<DB: Backend> UploadSlots<DB> {
    pub fn new(pools: &Pools<DB>, clock: Arc<dyn Clock>) -> Self {
        Self {
            read: pools.read.clone(),
            write: pools.write.clone(),
            clock,
            taken: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Takes a slot for an upload.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if no slot is free, for this app or at all.
    pub fn take(&self, app_no: i64) -> Result<(), Error> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_app = taken.get(&app_no).copied().unwrap_or(0);
        if of_app >= INTAKES_OF_APP_MAX || taken.values().sum::<usize>() >= INTAKES_MAX {
            return Err(Error::Overloaded);
        }
        taken.insert(app_no, of_app + 1);
        Ok(())
    }

    /// Frees a slot.
    pub fn release(&self, app_no: i64) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_app) = taken.get_mut(&app_no) {
            *of_app -= 1;
            if *of_app == 0 {
                taken.remove(&app_no);
            }
        }
    }

    /// Runs a statement in a transaction of its own, and returns the number of rows changed. A lost
    /// commit is not looked up: after any error the caller starts another upload.
    pub async fn write(&self, call: impl Fn() -> BoundStatement) -> Result<u64, Error> {
        let turn = timeout(TURN_WITHIN, self.turn.lock()).await;
        let _turn = turn.map_err(|_| Error::Overloaded)?;
        let deadline = Instant::now() + TRIED_FOR;
        let written = retry::busy(deadline, || transact(&self.write, vec![call()])).await;
        written.map_err(|error| match error {
            // A statement timeout of the database, not the caller's deadline.
            Error::Deadline => Error::Unavailable("the database took too long".into()),
            error => error,
        })
    }
}
