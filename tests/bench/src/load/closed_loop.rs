//! Workers that call, and call again as soon as they were answered.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use futures::{StreamExt as _, stream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::Status;

use crate::load::caller::LoadCaller;
use crate::scenario::CallKind;

/// Longest wait for the last calls.
const STOP_MAX: Duration = Duration::from_secs(30);

/// An operation that has ended.
#[derive(Debug, Clone, Copy)]
pub struct TimedOperation {
    /// End, in microseconds since the epoch.
    pub end_us: u64,
    /// Latency, in microseconds.
    pub latency_us: u64,
}

/// Operations of all workers.
#[derive(Debug, Default)]
pub struct Done {
    pub operations: Vec<TimedOperation>,
    /// Number of failed operations.
    pub errors: u64,
    /// The first of those.
    pub first_error: Option<String>,
}

/// Workers at work. They stop when this is dropped.
pub struct ClosedLoop {
    workers: JoinSet<Done>,
    stop: Arc<AtomicBool>,
}

impl ClosedLoop {
    /// Starts `workers` workers.
    pub fn start(caller: &LoadCaller, work: CallKind, in_flight: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = JoinSet::new();
        for number in 0..in_flight {
            workers.spawn(worker(caller.clone(), number, work, stop.clone()));
        }
        Self { workers, stop }
    }

    /// Lets the workers finish their calls, and returns their operations.
    ///
    /// # Errors
    /// If a call hangs, or a worker panicked.
    pub async fn stop(mut self) -> anyhow::Result<Done> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Done::default();
        let joined = async {
            while let Some(done) = self.workers.join_next().await {
                all.add(done?);
            }
            anyhow::Ok(())
        };
        timeout(STOP_MAX, joined).await.context("a call hangs")??;
        Ok(all)
    }
}

/// Reads the first page of every user's inbox once, `in_flight` at a time.
pub async fn page_through(caller: &LoadCaller, in_flight: usize) -> Done {
    let users = (0..caller.profiles()).zip(0..);
    let pages = stream::iter(users).map(async |(user, worker)| {
        let begun = Instant::now();
        (begun, caller.page(worker, user).await)
    });
    let mut pages = pin!(pages.buffer_unordered(in_flight));
    let mut done = Done::default();
    while let Some((begun, page)) = pages.next().await {
        done.ended(begun, page);
    }
    done
}

impl Done {
    fn ended(&mut self, begun: Instant, answer: Result<(), Status>) {
        match answer {
            Ok(()) => self.operations.push(TimedOperation {
                end_us: now_us(),
                latency_us: elapsed_us(begun),
            }),
            Err(status) => self.refused(&status),
        }
    }

    fn add(&mut self, other: Self) {
        self.operations.extend(other.operations);
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Counts a call that was refused, or did something else.
    pub fn refused(&mut self, status: &Status) {
        self.failed(|| format!("{:?}: {}", status.code(), status.message()));
    }

    /// Counts an error.
    pub fn failed(&mut self, error: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(error);
    }
}

async fn worker(caller: LoadCaller, number: usize, work: CallKind, stop: Arc<AtomicBool>) -> Done {
    let mut done = Done::default();
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        done.ended(begun, caller.call(number, work).await);
    }
    done
}

/// Microseconds since then.
pub fn elapsed_us(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds since the epoch.
pub fn now_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
