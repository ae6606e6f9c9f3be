//! Lanes: what queues up while a commit is on its way goes into the next one.
//!
//! A lane carries out whatever has arrived as one batch, then the next. An idle lane works
//! at once, so nothing ever waits for a timer. Apps take turns, so that one that asks for much
//! waits for itself. What its caller gave up before its batch began, or whose deadline has
//! passed by then, is not done at all.

mod batch;
mod queue;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use domain::Operation;
use storage::Error;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;

use batch::Ticket;
pub use batch::{Workshop, may_be_one_jobs_fault};
use queue::Queue;

use crate::backend::Backend;
use crate::executor::{AppKey, Verdict};

/// The lanes of a store.
pub struct Lanes {
    /// Empty when they are closed.
    queues: RwLock<Vec<Arc<Queue>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Lanes {
    /// Starts that many lanes.
    pub fn start<DB: Backend>(workshop: Workshop<DB>, count: usize) -> Self {
        let workshop = Arc::new(workshop);
        let mut tasks = JoinSet::new();
        let mut queues = Vec::with_capacity(count);
        for _ in 0..count {
            let queue = Arc::new(Queue::default());
            tasks.spawn(work(Arc::clone(&workshop), Arc::clone(&queue)));
            queues.push(queue);
        }
        Self {
            queues: RwLock::new(queues),
            tasks: Mutex::new(tasks),
        }
    }

    /// Carries out an operation with the next batch of its lane.
    pub async fn execute(
        &self,
        app: AppKey,
        operation: Operation,
        deadline: Instant,
    ) -> Result<Verdict, Error> {
        let (reply, answer) = oneshot::channel();
        let queue = self.of(app.app_no, &operation)?;
        queue.put(Ticket {
            arrived: Instant::now(),
            app,
            weight: operation.weight(),
            operation,
            deadline,
            reply,
        })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Takes nothing more, and waits until everything that waits has been carried out.
    pub async fn close(&self) {
        self.queues
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
            .for_each(|queue| queue.close());
        while self.tasks.lock().await.join_next().await.is_some() {}
    }

    /// The lane of an operation: those that lock the same mailbox first share one, so that
    /// they go into one batch instead of waiting for one another.
    fn of(&self, app_no: i64, operation: &Operation) -> Result<Arc<Queue>, Error> {
        let mut hasher = DefaultHasher::new();
        (app_no, operation.anchor()).hash(&mut hasher);
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        let count = queues.len().max(1) as u64;
        let index = usize::try_from(hasher.finish() % count).unwrap_or(0);
        queues.get(index).cloned().ok_or_else(closed)
    }
}

fn closed() -> Error {
    Error::Unavailable("the store is closed".into())
}

/// The life of a lane.
async fn work<DB: Backend>(workshop: Arc<Workshop<DB>>, queue: Arc<Queue>) {
    let queue = Emptied(queue);
    while let Some(batch) = queue.0.batch(workshop.batch_operations_max).await {
        workshop.carry_out(batch).await;
    }
}

/// Nobody waits for a lane that has come to an end, however it did.
struct Emptied(Arc<Queue>);

impl Drop for Emptied {
    fn drop(&mut self) {
        self.0.close();
        while let Some(ticket) = self.0.next() {
            ticket.refuse(closed());
        }
    }
}
