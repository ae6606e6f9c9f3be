//! Lanes: group commit.
//!
//! A lane runs whatever is queued as one batch, in one transaction, then the next: operations
//! that arrive during a commit share the next one. An idle lane runs at once, so that nothing
//! waits for a timer. An operation of more entries than a transaction takes goes on in the next
//! ones, behind what others have queued meanwhile. One with a row that another transaction has
//! locked moves to the side lane. Operations whose caller has gone, or whose deadline has passed
//! before their batch, are not run at all.

mod batch;
mod fair_queue;
mod side_lane;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Instant;

use domain::Operation;
use domain::operation::Apply as _;
use storage::{Budget, Error};
use telemetry::{LaneMetrics, QueueState};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;

pub use batch::{BatchRunner, is_worth_bisecting};
use batch::{QueuedOperation, closed};
use fair_queue::FairQueue;
use side_lane::SideLane;

use super::operation::Verdict;
use crate::db::backend::Backend;
use crate::table::app::AppKey;

/// The lanes of a store.
pub struct Lanes {
    /// Queues, one for each lane; none once closed.
    queues: RwLock<Vec<Arc<FairQueue>>>,
    side: Arc<SideLane>,
    tasks: Mutex<JoinSet<()>>,
    side_task: Mutex<JoinSet<()>>,
}

impl Lanes {
    /// Starts `count` lanes.
    pub fn start<DB: Backend>(runner: BatchRunner<DB>, count: usize) -> Self {
        let metrics = runner.metrics.clone();
        let runner = Arc::new(runner);
        let mut tasks = JoinSet::new();
        let mut queues = Vec::with_capacity(count);
        let side = Arc::new(SideLane::default());
        let mut side_task = JoinSet::new();
        side_task.spawn(side_lane::run(Arc::clone(&runner), Arc::clone(&side)));
        for _ in 0..count {
            let queue = Arc::new(FairQueue::new(metrics.clone()));
            tasks.spawn(run_lane(
                Arc::clone(&runner),
                Arc::clone(&queue),
                Arc::clone(&side),
            ));
            queues.push(queue);
        }
        observe(&metrics, &queues, &side);
        Self {
            queues: RwLock::new(queues),
            side,
            tasks: Mutex::new(tasks),
            side_task: Mutex::new(side_task),
        }
    }

    /// Runs an operation with the next batch of its lane.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if the queue is full or too slow for the deadline,
    /// [`Error::Deadline`], or the error of the batch.
    pub async fn execute(
        &self,
        app: AppKey,
        operation: Operation,
        budget: Budget,
    ) -> Result<Verdict, Error> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue_of(app.app_no, &operation)?;
        queue.push(QueuedOperation {
            queued: Instant::now(),
            app,
            weight: operation.action.weight(),
            operation,
            budget,
            is_begun: false,
            reply,
        })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Refuses further operations, and waits until the queued ones have run.
    pub async fn close(&self) {
        self.queues
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
            .for_each(|queue| queue.close());
        while self.tasks.lock().await.join_next().await.is_some() {}
        self.side.close();
        while self.side_task.lock().await.join_next().await.is_some() {}
    }

    /// Returns the queue of an operation's lane. Operations that lock the same mailbox first
    /// share a lane: they go into one batch instead of waiting for each other's locks.
    fn queue_of(&self, app_no: i64, operation: &Operation) -> Result<Arc<FairQueue>, Error> {
        let mut hasher = DefaultHasher::new();
        (app_no, operation.action.lane_key()).hash(&mut hasher);
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        let count = queues.len().max(1) as u64;
        let index = usize::try_from(hasher.finish() % count).unwrap_or(0);
        queues.get(index).cloned().ok_or_else(closed)
    }
}

/// Shows the queues in metrics for as long as they exist.
fn observe(metrics: &LaneMetrics, queues: &[Arc<FairQueue>], side: &Arc<SideLane>) {
    let queues: Vec<Weak<FairQueue>> = queues.iter().map(Arc::downgrade).collect();
    let side = Arc::downgrade(side);
    metrics.observe_queues(move || {
        let states = queues.iter().filter_map(Weak::upgrade);
        let states = states.map(|queue| queue.state());
        let of_side = side.upgrade().map(|side| side.state());
        states
            .chain(of_side)
            .fold(QueueState::default(), |all, state| QueueState {
                operations: all.operations + state.operations,
                oldest_age: all.oldest_age.max(state.oldest_age),
            })
    });
}

/// Runs batch after batch until the queue is closed and empty.
async fn run_lane<DB: Backend>(
    runner: Arc<BatchRunner<DB>>,
    queue: Arc<FairQueue>,
    side: Arc<SideLane>,
) {
    let queue = RefuseOnDrop(queue);
    while let Some(batch) = queue.0.next_batch(runner.batch_operations_max).await {
        for unfinished in runner.run(batch).await {
            if unfinished.held.is_some() {
                side.push(unfinished);
            } else {
                queue.0.push_back(unfinished.operation);
            }
        }
    }
}

/// Refuses what is still queued when its lane ends, however it does.
struct RefuseOnDrop(Arc<FairQueue>);

impl Drop for RefuseOnDrop {
    fn drop(&mut self) {
        self.0.close();
        while let Some(operation) = self.0.pop() {
            operation.refuse(closed());
        }
    }
}
