//! The side lane: operations with a row that another transaction has locked, of a session that is
//! stopped, say, or of a replica that was cut off.
//!
//! They are run again and again, whenever all their rows are free. Where others lock a row
//! all the time, the side lane also waits for it, in the queue of the database, which is fair: for
//! one row at a time, for a moment, and without a lock of its own meanwhile. So it holds up nobody
//! else, whoever holds its rows. A row that was not released is left alone for a while.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::ledger::HeldRow;
use domain::limits::{BATCH_ENTRIES_MAX, QUEUED_BYTES_MAX, QUEUED_OPERATIONS_MAX};
use storage::Error;
use telemetry::QueueState;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::batch::{Batch, BatchRunner, UnfinishedOperation, closed};
use crate::db::backend::Backend;

/// Pause of a row after its first failed wait; twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(10);
/// Maximum pause of a row.
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// Pause while no row is to be waited for.
const IDLE_PAUSE: Duration = Duration::from_millis(10);

/// A row of an app.
type AppRow = (i64, HeldRow);

/// The operations of the side lane.
#[derive(Default)]
pub struct SideLane {
    operations: Mutex<SideQueue>,
    /// Wakes the lane after a push or a close.
    changed: Notify,
}

#[derive(Default)]
struct SideQueue {
    operations: VecDeque<UnfinishedOperation>,
    /// Bytes of their contents.
    bytes: usize,
    is_closed: bool,
}

impl SideQueue {
    fn has_room_for(&self, unfinished: &UnfinishedOperation) -> bool {
        self.operations.len() < QUEUED_OPERATIONS_MAX
            && self.bytes + unfinished.operation.weight.bytes <= QUEUED_BYTES_MAX
    }

    fn push(&mut self, unfinished: UnfinishedOperation) {
        self.bytes += unfinished.operation.weight.bytes;
        self.operations.push_back(unfinished);
    }

    fn take_all(&mut self) -> VecDeque<UnfinishedOperation> {
        self.bytes = 0;
        std::mem::take(&mut self.operations)
    }
}

/// Failed waits for a row.
#[derive(Clone, Copy)]
struct FailedWaits {
    count: u32,
    until: Instant,
}

impl SideLane {
    /// State of the queue for metrics.
    pub fn state(&self) -> QueueState {
        let queue = self.lock();
        let times = queue.operations.iter().map(|it| it.operation.queued);
        QueueState {
            operations: queue.operations.len(),
            oldest_age: times.min().map(|queued| queued.elapsed()),
        }
    }

    /// Queues an operation. It is refused as overloaded if there are too many, or too many bytes
    /// of contents, unless a part of it is done.
    pub fn push(&self, unfinished: UnfinishedOperation) {
        let mut queue = self.lock();
        if unfinished.operation.is_begun || queue.has_room_for(&unfinished) {
            queue.push(unfinished);
            self.changed.notify_one();
        } else {
            unfinished.operation.refuse(Error::Overloaded);
        }
    }

    /// Ends the lane after one more attempt at each operation.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits for operations, and returns true if the lane is closed.
    async fn wait(&self) -> bool {
        loop {
            {
                let queue = self.lock();
                if queue.is_closed || !queue.operations.is_empty() {
                    return queue.is_closed;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Takes the oldest operations, as many as a batch has room for, of those that `is_meant`.
    /// Those whose time is over are refused.
    fn take(
        &self,
        operations_max: usize,
        is_meant: impl Fn(&UnfinishedOperation) -> bool,
    ) -> Batch {
        let (mut batch, now) = (Batch::default(), Instant::now());
        let mut queue = self.lock();
        for unfinished in queue.take_all() {
            if let Some(error) = unfinished.operation.expired(now) {
                unfinished.operation.refuse(error);
            } else if batch.len() < operations_max
                && is_meant(&unfinished)
                && batch.has_room_for(unfinished.operation.weight, BATCH_ENTRIES_MAX)
            {
                batch.push(unfinished.operation);
            } else {
                queue.push(unfinished);
            }
        }
        batch
    }

    /// Rows that operations wait for, the oldest first.
    fn rows(&self) -> Vec<AppRow> {
        let mut known = HashSet::new();
        let queue = self.lock();
        let rows = queue.operations.iter().filter_map(row_of);
        rows.filter(|row| known.insert(row.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, SideQueue> {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the lane until it is closed.
pub async fn run<DB: Backend>(runner: Arc<BatchRunner<DB>>, lane: Arc<SideLane>) {
    let mut failed: HashMap<AppRow, FailedWaits> = HashMap::new();
    loop {
        let is_closed = lane.wait().await;
        let batch = lane.take(runner.batch_operations_max, |_| true);
        let tried = batch.len();
        let rest = runner.run(batch).await;
        let has_progressed = rest.len() < tried || rest.iter().any(|it| it.held.is_none());
        for unfinished in rest {
            lane.push(unfinished);
        }
        if is_closed {
            break;
        }
        if !has_progressed {
            wait_for_one(&runner, &lane, &mut failed).await;
        }
    }
    let rest = lane.lock().take_all();
    for unfinished in rest {
        unfinished.operation.refuse(closed());
    }
}

/// Waits for one row, and runs the operations that need it.
async fn wait_for_one<DB: Backend>(
    runner: &BatchRunner<DB>,
    lane: &SideLane,
    failed: &mut HashMap<AppRow, FailedWaits>,
) {
    let (rows, now) = (lane.rows(), Instant::now());
    failed.retain(|row, _| rows.contains(row));
    let waits = |row: &AppRow| failed.get(row).map_or(0, |waits| waits.count);
    let is_paused = |row: &AppRow| failed.get(row).is_some_and(|waits| now < waits.until);
    let next = rows.into_iter().filter(|row| !is_paused(row));
    let Some(row) = next.min_by_key(waits) else {
        sleep(IDLE_PAUSE).await;
        return;
    };
    let batch = lane.take(runner.batch_operations_max, |unfinished| {
        row_of(unfinished).as_ref() == Some(&row)
    });
    let (rest, is_locked) = runner.run_with(&row, batch).await;
    for unfinished in rest {
        lane.push(unfinished);
    }
    if is_locked {
        failed.remove(&row);
    } else {
        let count = waits(&row) + 1;
        let pause = PAUSE * 2_u32.saturating_pow(count - 1);
        let until = Instant::now() + pause.min(PAUSE_MAX);
        failed.insert(row, FailedWaits { count, until });
    }
}

fn row_of(unfinished: &UnfinishedOperation) -> Option<AppRow> {
    let row = unfinished.held.clone()?;
    Some((unfinished.operation.app.app_no, row))
}
