//! Tasks of a connection's calls, which end when their answers are not taken.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::task_local;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::ANSWER_STALL_TIMEOUT;

task_local! {
    static PROGRESS: Arc<AnswerProgress>;
}

/// hyper's executor for the calls of a connection.
///
/// hyper asks a body for its next piece only while the caller's window has room, so that no body
/// can end a call whose caller takes nothing. Here the whole task is dropped, at the answer's
/// deadline or when a piece has waited for [`ANSWER_STALL_TIMEOUT`]: the stream is reset, and what
/// was not taken is freed.
#[derive(Debug, Clone, Copy)]
pub struct CallExecutor;

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for CallExecutor {
    fn execute(&self, call: F) {
        tokio::spawn(run(call));
    }
}

/// Progress of an answer on its way to the caller.
#[derive(Debug, Default)]
pub struct AnswerProgress(Mutex<AnswerTimes>);

#[derive(Debug, Default)]
struct AnswerTimes {
    /// Time at which the answer must have been taken.
    deadline: Option<Instant>,
    /// Time at which the last piece was handed over, until the next one is asked for.
    handed_over: Option<Instant>,
}

impl AnswerProgress {
    /// Returns the progress of the call whose task this is.
    pub fn of_task() -> Arc<Self> {
        PROGRESS.try_with(Arc::clone).unwrap_or_default()
    }

    /// Sets the time at which the answer must have been taken.
    pub fn set_deadline(&self, deadline: Instant) {
        self.lock().deadline = Some(deadline);
    }

    /// Notes that a piece of the answer was handed over.
    pub fn handed_over(&self) {
        self.lock().handed_over = Some(Instant::now());
    }

    /// Notes that all pieces so far have been taken.
    pub fn taken(&self) {
        self.lock().handed_over = None;
    }

    /// Time at which the call ends, unless there is progress; none if nothing waits.
    fn end(&self) -> Option<Instant> {
        let progress = self.lock();
        let stalled = progress.handed_over.map(|at| at + ANSWER_STALL_TIMEOUT);
        [progress.deadline, stalled].into_iter().flatten().min()
    }

    fn lock(&self) -> MutexGuard<'_, AnswerTimes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a call to its end, or until its answer is not taken.
async fn run(call: impl Future<Output = ()>) {
    let progress = Arc::<AnswerProgress>::default();
    let mut call = pin!(PROGRESS.scope(Arc::clone(&progress), call));
    let mut timer = Timer::default();
    poll_fn(|cx| {
        if call.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(end) = progress.end() else {
            return Poll::Pending;
        };
        if timer.poll(end, cx).is_pending() {
            return Poll::Pending;
        }
        tracing::debug!("call.answer_not_taken");
        Poll::Ready(())
    })
    .await;
}

/// Timer that is registered when it is first needed.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
