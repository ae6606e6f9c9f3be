//! The check of a clock: reads the clock of the database and the time that is stored in it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Millis, Now};
use storage::{Clock as _, Error};
use tokio::task::{AbortHandle, spawn};
use tokio::time::sleep;

use super::timeline::ClockReading;
use super::{CheckedClock, boot_time, machine_time};
use crate::db::backend::{Backend, Pools};
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, transact};
use crate::db::error::corrupt;
use crate::db::pool::Pool;
use crate::db::statement::Statement;

/// Interval of the checks.
const INTERVAL: Duration = Duration::from_secs(2);
/// Maximum number of readings in one check; the one with the shortest round trip counts.
const READINGS_MAX: usize = 5;
/// Round trip that makes further readings needless, in milliseconds.
const ROUND_TRIP_MS: i64 = 20;
/// Maximum round trip of a reading that says enough, in milliseconds.
const ROUND_TRIP_MAX_MS: i64 = 1_000;

pub static READ: Statement = Statement::new(
    "server.clock",
    0,
    "SELECT s.clock_ms, {clock_ms} FROM server s WHERE s.server_no = 1",
);

/// Stores a time up to which things are due, unless a later one was accepted, which is not after
/// the current time `$2`.
pub static STORE: Statement = Statement::new(
    "server.store_clock",
    2,
    "UPDATE server SET clock_ms = $1 WHERE server_no = 1 AND (clock_ms < $1 OR clock_ms > $2)",
);

/// The repeated check of a clock, until this is dropped.
#[derive(Debug)]
pub struct ClockCheck(AbortHandle);

impl ClockCheck {
    /// Checks a clock, and goes on to check it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn start<DB: Backend>(
        clock: Arc<CheckedClock>,
        pools: &Pools<DB>,
    ) -> Result<Self, Error> {
        let pool = pools.read.clone();
        let reading = read(&pool).await?;
        clock.observe(&reading);
        if let (Millis(0), Ok(now)) = (reading.stored, clock.now()) {
            store(&pools.write, now).await?;
        }
        let check = spawn(async move {
            loop {
                sleep(INTERVAL).await;
                match read(&pool).await {
                    Ok(reading) => clock.observe(&reading),
                    Err(error) => {
                        tracing::debug!(error.source = error.chain(), "clock.check_failed");
                    }
                }
            }
        });
        Ok(Self(check.abort_handle()))
    }
}

impl Drop for ClockCheck {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Stores the time up to which things are due, for replicas that start later.
pub async fn store<DB: Backend>(pool: &Pool<DB>, now: Now) -> Result<(), Error> {
    let statement = BoundStatement::of(&STORE).bind(now.due_ms.0).bind(now.ms.0);
    transact(pool, vec![statement]).await?;
    Ok(())
}

/// Reads the clocks, as closely as their database allows.
async fn read<DB: Backend>(pool: &Pool<DB>) -> Result<ClockReading, Error> {
    let mut connection = Connection::of(pool).await?;
    let mut best = read_once(&mut connection).await?;
    for _ in 1..READINGS_MAX {
        if best.uncertainty_ms * 2 <= ROUND_TRIP_MS {
            break;
        }
        let next = read_once(&mut connection).await?;
        if next.uncertainty_ms <= best.uncertainty_ms {
            best = next;
        }
    }
    if best.uncertainty_ms * 2 > ROUND_TRIP_MAX_MS {
        return Err(Error::Unavailable(
            "the database is too slow to tell the time".into(),
        ));
    }
    Ok(best)
}

async fn read_once<DB: Backend>(connection: &mut Connection<DB>) -> Result<ClockReading, Error> {
    let asked_ms = boot_time();
    let row = connection.fetch_one(BoundStatement::of(&READ)).await?;
    let (answered_ms, machine) = (boot_time(), machine_time());
    let mut row = row.ok_or_else(|| corrupt("server", "clock_ms", &1))?;
    let stored = Millis(row.int()?);
    let database = row.int_or_null()?.map(Millis);
    // The database read its clock somewhere in the round trip; without a clock there is none.
    let half_ms = database.map_or(0, |_| (answered_ms - asked_ms) / 2);
    Ok(ClockReading {
        boot_ms: answered_ms - half_ms,
        machine: machine.after(-half_ms),
        database,
        stored,
        uncertainty_ms: half_ms,
    })
}
