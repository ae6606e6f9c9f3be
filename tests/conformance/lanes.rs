//! Lanes: batches in which operations fail alone, and bounded queues.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use domain::limits::{
    BATCH_OPERATIONS_MAX, CONTENT_BYTES_CAP, QUEUED_BYTES_MAX, QUEUED_OPERATIONS_MAX,
};
use domain::{Action, AppId, Millis, Now, Operation, Outcome};
use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use storage::{Clock, Error};
use storage_sql::{LaneOptions, Options, StoreClock};
use support::clock::START;
use support::on_each_database;
use support::store::{DatabaseKind, TIMEOUTS, run};

use super::builders::{
    announce, app, bytes, from_app, from_user, open, operation, other_app, repeatable, send, text,
};
use super::fixture::{BatchStore, HeldLock, StoreFixture, in_time};

mod fair_queue;

on_each_database![
    operations_refused_by_the_database_fail_alone_in_a_batch_of_256,
    a_full_queue_refuses_more_and_executes_its_operations,
    a_queue_full_of_bytes_refuses_contents_until_it_drains,
    an_operation_queued_beyond_its_deadline_is_refused,
    operations_dropped_in_the_queue_are_not_executed,
];

#[test]
fn an_operation_behind_a_held_row_waits() {
    run(
        DatabaseKind::Postgres,
        an_operation_behind_a_held_row_waits_alone,
    );
}

/// Content that a constraint of the database refuses.
const POISON: &str = "poison";
/// Positions of refused operations among 256: the first, neighbours, and the last.
const POISONED: [usize; 4] = [0, 101, 102, 255];
/// Calls beyond those that a queue takes.
const BEYOND: usize = 1_000;

/// Time that moves whenever it is looked at. A batch looks once.
pub struct TickingClock(AtomicI64);

impl Default for TickingClock {
    fn default() -> Self {
        Self(AtomicI64::new(START.0))
    }
}

impl Clock for TickingClock {
    fn now(&self) -> Result<Now, Error> {
        Ok(Now::at(Millis(self.0.fetch_add(1, Ordering::SeqCst))))
    }
}

type QueuedCall = BoxFuture<'static, Result<Outcome, Error>>;

/// A store with one lane, which can be kept waiting.
struct TestLane<'a> {
    fixture: &'a StoreFixture,
    store: BatchStore,
}

/// A lane whose running batch is blocked: further operations wait for the next batch.
struct BlockedLane {
    held: HeldLock,
    begun: QueuedCall,
}

impl<'a> TestLane<'a> {
    async fn open(fixture: &'a StoreFixture) -> Self {
        let options = Options {
            lanes: LaneOptions {
                count: 1,
                ..LaneOptions::default()
            },
            timeouts: Some(TIMEOUTS),
            clock: StoreClock::Trusted(Arc::new(TickingClock::default())),
            ..fixture.test.options.clone()
        };
        let store = fixture.store_of(&options).await;
        for app in [app(), there()] {
            let known = store.run(&app, operation(open("nobody"))).await;
            assert_eq!(known, Ok(Outcome::Done));
        }
        Self { fixture, store }
    }

    /// A call that is in the queue.
    fn queue(&self, app: AppId, operation: Operation, deadline: Instant) -> QueuedCall {
        let mut call = self.call(app, operation, deadline);
        let polled = (&mut call).now_or_never();
        assert!(polled.is_none(), "{polled:?}");
        call
    }

    fn call(&self, app: AppId, operation: Operation, deadline: Instant) -> QueuedCall {
        let store = self.store.clone();
        async move { store.execute(&app, operation, deadline).await }.boxed()
    }

    fn queue_in_time(&self, action: Action) -> QueuedCall {
        self.queue(app(), operation(action), in_time())
    }

    async fn stop(&self) -> BlockedLane {
        let held = self.fixture.raw().await.hold_writers().await;
        let begun = self.queue_in_time(open("predecessor"));
        // Now the lane takes it.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        BlockedLane { held, begun }
    }

    async fn number(&self, text: &str) -> i64 {
        self.fixture.raw().await.number(text).await
    }
}

impl BlockedLane {
    async fn go_on(self) {
        self.held.release().await;
        assert_done(&self.begun.await);
    }
}

fn there() -> AppId {
    other_app("there")
}

#[track_caller]
fn assert_done(answer: &Result<Outcome, Error>) {
    assert!(answer.is_ok(), "{answer:?}");
}

/// A message of one of many users to the next user, and to `all`.
fn letter(number: usize) -> (AppId, Operation) {
    let words = if POISONED.contains(&number) {
        POISON
    } else {
        "hello"
    };
    let (from, to) = (format!("user{number}"), format!("user{}", number + 1));
    let action = Action::SendMessage(from_user(&from, &[&to, "all"], text(words)));
    let app = if number.is_multiple_of(2) {
        app()
    } else {
        there()
    };
    (app, repeatable(&format!("letter-{number}"), 1, action))
}

async fn operations_refused_by_the_database_fail_alone_in_a_batch_of_256(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let raw = fixture.raw().await;
    raw.refuse_contents(POISON).await;
    let send_all = async || {
        let standing = lane.stop().await;
        let calls = (0..BATCH_OPERATIONS_MAX).map(|number| {
            let (app, operation) = letter(number);
            lane.queue(app, operation, in_time())
        });
        let calls: Vec<QueuedCall> = calls.collect();
        standing.go_on().await;
        join_all(calls).await
    };

    let answers = send_all().await;
    for (number, answer) in answers.iter().enumerate() {
        let is_as_it_should = match answer {
            Ok(Outcome::Sent(_)) => !POISONED.contains(&number),
            Err(Error::Internal(_)) => POISONED.contains(&number),
            _ => false,
        };
        assert!(is_as_it_should, "{number}: {answer:?}");
    }
    let batches = lane.number("SELECT count(DISTINCT send_ms) FROM message");
    assert_eq!(batches.await, 1, "it was not one batch");
    // Two of either app's were refused.
    for app in [app(), there()] {
        assert_eq!(fixture.counts_in(&app, "all").await, (126, 126, 0));
    }

    raw.take_all_contents().await;
    let again = send_all().await;
    for (first, again) in answers.into_iter().zip(again) {
        let again = again.expect("now it is taken");
        if let Ok(first) = first {
            assert_eq!(first, again);
        }
    }
    for app in [app(), there()] {
        assert_eq!(fixture.counts_in(&app, "all").await, (128, 128, 0));
    }
    lane.store.close().await;
}

/// For `PostgreSQL` only, which locks rows.
async fn an_operation_behind_a_held_row_waits_alone(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    fixture.done(open("victim")).await;
    let held = fixture.raw().await.hold_mailbox("victim").await;
    let standing = lane.stop().await;
    let mut victim = lane.queue_in_time(send("ann", &["victim"]));
    let others = ["bob", "cid", "dan"].map(|name| lane.queue_in_time(send(name, &["eve"])));
    standing.go_on().await;
    let answers = join_all(others).await;
    answers.iter().for_each(assert_done);
    assert!(futures::poll!(&mut victim).is_pending());
    held.release().await;
    assert_done(&victim.await);
    assert_eq!(fixture.counts("eve").await, (3, 3, 0));
    assert_eq!(fixture.counts("victim").await, (1, 1, 0));
    lane.store.close().await;
}

async fn a_full_queue_refuses_more_and_executes_its_operations(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let before = lane.number("SELECT count(*) FROM mailbox").await;
    let standing = lane.stop().await;
    let calls = 0..QUEUED_OPERATIONS_MAX;
    let calls = calls.map(|number| lane.queue_in_time(open(&format!("user{number}"))));
    let calls: Vec<QueuedCall> = calls.collect();
    for number in 0..BEYOND {
        let stranger = operation(open(&format!("stranger{number}")));
        let mut call = lane.call(app(), stranger, in_time());
        let polled = futures::poll!(&mut call);
        assert!(
            matches!(polled, Poll::Ready(Err(Error::Overloaded))),
            "{polled:?}"
        );
    }
    standing.go_on().await;
    join_all(calls).await.iter().for_each(assert_done);
    let after = lane.number("SELECT count(*) FROM mailbox").await;
    // And the one of the blocked batch.
    let begun = usize::try_from(after - before).expect("more than before");
    assert_eq!(begun, QUEUED_OPERATIONS_MAX + 1);
    assert_done(&lane.queue_in_time(send("ann", &["bob"])).await);
    lane.store.close().await;
}

async fn a_queue_full_of_bytes_refuses_contents_until_it_drains(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let large = Action::SendMessage(from_app(&["bob"], bytes(CONTENT_BYTES_CAP)));
    let calls = 0..QUEUED_BYTES_MAX / CONTENT_BYTES_CAP;
    let calls: Vec<QueuedCall> = calls.map(|_| lane.queue_in_time(large.clone())).collect();
    let mut beyond = lane.call(app(), operation(announce(&["bob"])), in_time());
    let polled = futures::poll!(&mut beyond);
    assert!(
        matches!(polled, Poll::Ready(Err(Error::Overloaded))),
        "{polled:?}"
    );
    let weightless = lane.queue_in_time(open("cid"));
    drop(calls);
    standing.go_on().await;
    assert_done(&weightless.await);
    assert_done(&lane.queue_in_time(send("ann", &["bob"])).await);
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    lane.store.close().await;
}

async fn an_operation_queued_beyond_its_deadline_is_refused(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let first = lane.queue_in_time(send("ann", &["bob"]));
    let deadline = Instant::now() + Duration::from_millis(20);
    let mut belated = lane.call(app(), operation(send("cid", &["bob"])), deadline);
    // On a slow machine its time may already be over; then this is the answer.
    let at_once = (&mut belated).now_or_never();
    let last = lane.queue_in_time(send("dan", &["bob"]));
    tokio::time::sleep_until(deadline.into()).await;
    standing.go_on().await;
    assert_done(&first.await);
    assert_done(&last.await);
    let answer = match at_once {
        Some(answer) => answer,
        None => belated.await,
    };
    assert!(matches!(answer, Err(Error::Deadline)), "{answer:?}");
    assert_eq!(fixture.counts("bob").await, (2, 2, 0));
    assert_eq!(fixture.counts("cid").await, (0, 0, 0));
    lane.store.close().await;
}

async fn operations_dropped_in_the_queue_are_not_executed(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let mut calls: Vec<QueuedCall> = Vec::new();
    for _ in 0..50 {
        calls.push(lane.queue_in_time(send("ann", &["bob"])));
        drop(lane.queue_in_time(send("cid", &["bob"])));
    }
    standing.go_on().await;
    join_all(calls).await.iter().for_each(assert_done);
    assert_eq!(fixture.counts("bob").await, (50, 50, 0));
    assert_eq!(fixture.counts("cid").await, (0, 0, 0));
    lane.store.close().await;
}
