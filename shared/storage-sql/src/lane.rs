//! Lanes: what queues up while a commit is on its way goes into the next one.
//!
//! A lane carries out whatever has arrived as one batch, then the next. An idle lane works
//! at once, so nothing ever waits for a timer. What its caller gave up before its batch
//! began, or whose deadline has passed by then, is not done at all.

mod batch;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use domain::Operation;
use domain::limits::{QUEUED_BYTES_MAX, QUEUED_OPERATIONS_MAX};
use storage::Error;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use batch::{Batch, Ticket};
pub use batch::{Workshop, may_be_one_jobs_fault};

use crate::backend::Backend;
use crate::executor::{AppKey, Verdict};

/// The lanes of a store.
pub struct Lanes {
    /// Empty when they are closed.
    queues: RwLock<Vec<Queue>>,
    tasks: Mutex<JoinSet<()>>,
}

/// The way into a lane.
#[derive(Clone)]
struct Queue {
    tickets: mpsc::Sender<Ticket>,
    /// Bytes of content that may still come to wait.
    bytes: Arc<Semaphore>,
}

impl Lanes {
    /// Starts that many lanes.
    pub fn start<DB: Backend>(workshop: Workshop<DB>, count: usize) -> Self {
        let workshop = Arc::new(workshop);
        let mut tasks = JoinSet::new();
        let mut queues = Vec::with_capacity(count);
        for _ in 0..count {
            let (tickets, queue) = mpsc::channel(QUEUED_OPERATIONS_MAX);
            tasks.spawn(work(Arc::clone(&workshop), queue));
            queues.push(Queue {
                tickets,
                bytes: Arc::new(Semaphore::new(QUEUED_BYTES_MAX)),
            });
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
        let bytes = u32::try_from(operation.weight().bytes).unwrap_or(u32::MAX);
        let bytes = queue.bytes.try_acquire_many_owned(bytes);
        let ticket = Ticket {
            app,
            operation,
            deadline,
            reply,
            _bytes: bytes.map_err(|_| Error::Overloaded)?,
        };
        queue
            .tickets
            .try_send(ticket)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Error::Overloaded,
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Takes nothing more, and waits until everything that waits has been carried out.
    pub async fn close(&self) {
        self.queues
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        while self.tasks.lock().await.join_next().await.is_some() {}
    }

    /// The lane of an operation: those that lock the same mailbox first share one, so that
    /// they go into one batch instead of waiting for one another.
    fn of(&self, app_no: i64, operation: &Operation) -> Result<Queue, Error> {
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
async fn work<DB: Backend>(workshop: Arc<Workshop<DB>>, mut queue: mpsc::Receiver<Ticket>) {
    let mut next = queue.recv().await;
    while let Some(first) = next {
        let mut batch = Batch::of(first);
        next = None;
        while batch.len() < workshop.batch_operations_max {
            let Ok(ticket) = queue.try_recv() else { break };
            if !batch.has_room_for(&ticket) {
                next = Some(ticket);
                break;
            }
            batch.add(ticket);
        }
        workshop.carry_out(batch).await;
        if next.is_none() {
            next = queue.recv().await;
        }
    }
}
