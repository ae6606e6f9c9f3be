//! Where the recipients of segments come in, as many segments as there are places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::limits::{INTAKES_MAX, INTAKES_OF_APP_MAX};
use storage::{Clock, Error};
use tokio::time::timeout;

use super::intake::SegmentIntake;
use crate::backend::{Backend, Pools};
use crate::connection::transact;
use crate::retry;
use crate::rows::Call;
use crate::warm::Warm;

/// How long a write may wait for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(10);
/// How long it is tried again.
const TRIED_FOR: Duration = Duration::from_secs(10);

/// The places of a store, and what they share.
pub struct Desk<DB: Backend> {
    pub read: Warm<DB>,
    pub clock: Arc<dyn Clock>,
    write: Warm<DB>,
    /// The places that are taken, by app.
    taken: Mutex<HashMap<i64, usize>>,
    /// One of all writes at a time, and leaves the connections to those who wait for less.
    turn: tokio::sync::Mutex<()>,
}

impl<DB: Backend> Desk<DB> {
    pub fn new(pools: &Pools<DB>, clock: Arc<dyn Clock>) -> Self {
        Self {
            read: pools.read.clone(),
            write: pools.write.clone(),
            clock,
            taken: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Begins to take in a segment's recipients.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if no place is free, for this app or at all.
    pub async fn begin(self: &Arc<Self>, app_no: i64) -> Result<SegmentIntake<DB>, Error> {
        self.take(app_no)?;
        SegmentIntake::begin(Arc::clone(self), app_no).await
    }

    fn take(&self, app_no: i64) -> Result<(), Error> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_app = taken.get(&app_no).copied().unwrap_or(0);
        if of_app >= INTAKES_OF_APP_MAX || taken.values().sum::<usize>() >= INTAKES_MAX {
            return Err(Error::Overloaded);
        }
        taken.insert(app_no, of_app + 1);
        Ok(())
    }

    /// Frees a place.
    pub fn leave(&self, app_no: i64) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_app) = taken.get_mut(&app_no) {
            *of_app -= 1;
            if *of_app == 0 {
                taken.remove(&app_no);
            }
        }
    }

    /// Runs a statement in a transaction of its own; how many rows it changed. It makes no
    /// promise to anybody: whoever hears that it may have failed begins again.
    pub async fn write(&self, call: impl Fn() -> Call) -> Result<u64, Error> {
        let turn = timeout(TURN_WITHIN, self.turn.lock()).await;
        let _turn = turn.map_err(|_| Error::Overloaded)?;
        let deadline = Instant::now() + TRIED_FOR;
        let written = retry::busy(deadline, || transact(&self.write, vec![call()])).await;
        written.map_err(|error| match error {
            // Not the caller's, but the database's.
            Error::Deadline => Error::Unavailable("the database took too long".into()),
            error => error,
        })
    }
}
