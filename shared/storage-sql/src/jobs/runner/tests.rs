use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::AppId;
use tokio::sync::Semaphore;

use super::*;

const NOW: Millis = Millis(1_000_000);

/// A clock that stands at [`NOW`] unless it is advanced.
struct SteppedClock(AtomicI64);

impl SteppedClock {
    const fn new() -> Self {
        Self(AtomicI64::new(NOW.0))
    }

    fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Result<Now, Error> {
        Ok(Now::at(Millis(self.0.load(Ordering::Relaxed))))
    }
}

/// A row of the table of jobs.
#[derive(Clone, Copy)]
struct TestJob {
    app_no: i64,
    id: u32,
    last_step_ms: Millis,
    steps_left: u32,
}

/// Jobs in memory, shared by replicas. A step of a job in `failing` fails with its error.
#[derive(Default)]
struct TestJobs {
    rows: Mutex<Vec<TestJob>>,
    failing: Mutex<HashMap<u32, fn() -> Error>>,
    /// Ids of the jobs in the order of their steps.
    steps: Mutex<Vec<u32>>,
}

struct TestKind {
    table: Arc<TestJobs>,
    /// Permits for steps to finish.
    permits: Arc<Semaphore>,
}

impl JobKind for TestKind {
    type Id = u32;

    const NAME: &'static str = "test";

    async fn due(&self, jobs_max: i64) -> Result<Vec<DueJob<u32>>, Error> {
        let mut rows = self.table.rows.lock().expect("rows").clone();
        rows.retain(|row| row.steps_left > 0);
        rows.sort_by_key(|row| (row.last_step_ms, row.id));
        rows.truncate(usize::try_from(jobs_max).expect("a length"));
        let job = |row: TestJob| DueJob {
            app: AppKey {
                app_no: row.app_no,
                app_id: AppId::parse("app").expect("an app id"),
            },
            id: row.id,
            last_step_ms: row.last_step_ms,
        };
        Ok(rows.into_iter().map(job).collect())
    }

    async fn step(&self, job: &DueJob<u32>, now: Now) -> Result<StepOutcome, Error> {
        let _permit = self.permits.acquire().await.expect("a permit");
        if let Some(error) = self.table.failing.lock().expect("failing").get(&job.id) {
            return Err(error());
        }
        let mut rows = self.table.rows.lock().expect("rows");
        let row = rows.iter_mut().find(|row| row.id == job.id);
        let row = row.filter(|row| row.last_step_ms == job.last_step_ms);
        let Some(row) = row else {
            return Ok(StepOutcome::Superseded);
        };
        row.last_step_ms = now.ms.after(1);
        row.steps_left -= 1;
        self.table.steps.lock().expect("steps").push(job.id);
        Ok(StepOutcome::Run(row.last_step_ms))
    }
}

impl TestJobs {
    /// Creates jobs, as (app, id, steps), each of which has waited longer than the next.
    fn with(jobs: &[(i64, u32, u32)]) -> Arc<Self> {
        let row = |((app_no, id, steps_left), age): (&(i64, u32, u32), i64)| TestJob {
            app_no: *app_no,
            id: *id,
            last_step_ms: Millis(age),
            steps_left: *steps_left,
        };
        Arc::new(Self {
            rows: Mutex::new(jobs.iter().zip(0..).map(row).collect()),
            ..Self::default()
        })
    }

    fn replica(self: &Arc<Self>) -> JobRunner<TestKind> {
        JobRunner::new(TestKind {
            table: Arc::clone(self),
            permits: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        })
    }

    fn fail(&self, id: u32, error: fn() -> Error) {
        self.failing.lock().expect("failing").insert(id, error);
    }

    fn steps(&self) -> Vec<u32> {
        std::mem::take(&mut *self.steps.lock().expect("steps"))
    }
}

#[tokio::test]
async fn a_pass_runs_one_step_of_each_app_of_the_job_that_has_waited_longest() {
    let table = TestJobs::with(&[(1, 10, 2), (1, 11, 1), (2, 20, 1)]);
    let (runner, clock) = (table.replica(), SteppedClock::new());
    let mut passes = Vec::new();
    while runner.run(&clock).await.expect("a pass") {
        passes.push(table.steps());
        clock.advance(10);
    }
    assert_eq!(passes, [vec![10, 20], vec![11], vec![10]]);
}

#[tokio::test]
async fn a_replica_leaves_a_job_alone_that_another_has_stepped_within_a_second() {
    let table = TestJobs::with(&[(1, 10, 9)]);
    let (one, other, clock) = (table.replica(), table.replica(), SteppedClock::new());
    assert!(one.run(&clock).await.expect("a pass"));
    assert!(!other.run(&clock).await.expect("a pass"));
    assert!(one.run(&clock).await.expect("a pass"), "its own job");
    clock.advance(999);
    assert!(!other.run(&clock).await.expect("a pass"));
    clock.advance(2);
    assert!(other.run(&clock).await.expect("a pass"), "an abandoned job");
    assert!(!one.run(&clock).await.expect("a pass"), "no longer its own");
}

#[tokio::test]
async fn a_step_that_two_replicas_try_runs_once() {
    let table = TestJobs::with(&[(1, 10, 9)]);
    let (one, other) = (table.replica(), table.replica());
    let due = one.kind.due(1).await.expect("due jobs").remove(0);
    assert!(one.step(&due, Now::at(NOW)).await);
    assert!(!other.step(&due, Now::at(NOW)).await);
    assert_eq!(table.steps(), [10]);
    assert!(other.records().is_empty());
}

#[tokio::test]
async fn a_failing_job_backs_off_and_leaves_the_turn_of_its_app_to_others() {
    let table = TestJobs::with(&[(1, 10, 1), (1, 11, 2), (2, 20, 1)]);
    table.fail(10, || Error::Internal("a bug".into()));
    let (runner, clock) = (table.replica(), SteppedClock::new());
    assert!(runner.run(&clock).await.expect("a pass"));
    assert_eq!(table.steps(), [20]);
    assert!(runner.run(&clock).await.expect("a pass"));
    assert_eq!(table.steps(), [11]);
    table.failing.lock().expect("failing").clear();
    assert!(runner.run(&clock).await.expect("a pass"));
    assert_eq!(table.steps(), [11], "job 10 still backs off");
}

#[tokio::test]
async fn only_faults_of_the_job_double_its_backoff() {
    for (error, is_fault) in [
        (Error::Internal("a bug".into()), true),
        (Error::Refused(domain::Refusal::NotFound), true),
        (Error::Overloaded, false),
        (Error::Deadline, false),
        (Error::Unavailable("away".into()), false),
        (Error::Unknown("lost".into()), false),
    ] {
        assert_eq!(is_fault_of_job(&error), is_fault, "{error:?}");
    }
}

#[tokio::test]
async fn a_completed_job_leaves_no_record() {
    let table = TestJobs::with(&[(1, 10, 1)]);
    let (runner, clock) = (table.replica(), SteppedClock::new());
    assert!(runner.run(&clock).await.expect("a pass"));
    assert_eq!(runner.records().len(), 1);
    assert!(!runner.run(&clock).await.expect("a pass"));
    assert!(runner.records().is_empty());
}

#[tokio::test]
async fn a_wake_up_ends_the_wait_also_if_it_comes_before() {
    let runner = TestJobs::with(&[]).replica();
    runner.wake();
    let day = Duration::from_hours(24);
    runner.wait(day).await;
    tokio::join!(runner.wait(day), async { runner.wake() });
    runner.wait(Duration::ZERO).await;
}

#[tokio::test]
async fn a_drain_waits_for_the_running_step_and_starts_no_other() {
    let table = TestJobs::with(&[(1, 10, 1), (2, 20, 1)]);
    let permits = Arc::new(Semaphore::new(0));
    let runner = JobRunner::new(TestKind {
        table: Arc::clone(&table),
        permits: Arc::clone(&permits),
    });
    let clock = SteppedClock::new();
    let drain = async {
        tokio::task::yield_now().await;
        permits.add_permits(2);
        runner.drain().await;
        assert_eq!(table.steps(), [10]);
    };
    let (run, ()) = tokio::join!(runner.run(&clock), drain);
    assert!(run.expect("a pass"));
    assert!(!runner.run(&clock).await.expect("a pass"));
    assert!(table.steps().is_empty());
}
