//! Cancelled callers: a write that has begun runs to its end, and no transaction stays open.

use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use domain::page::{Criteria, Scan};
use domain::{MessageId, Outcome};
use futures::future::{join_all, poll_fn};
use storage::{Error, Requester};
use support::however_gathered;

use super::builders::{
    app, bytes, from_user, operation, other_app, profile, repeatable, send, sent,
};
use super::fixture::{IN_TIME, StoreFixture, in_time};
use super::page_offsets::everything;

however_gathered![
    dropped_calls_lose_no_message_and_leave_no_transaction_open,
    a_write_that_has_begun_runs_to_its_end_after_its_call_is_dropped,
    a_write_dropped_in_the_queue_is_not_executed,
    a_dropped_call_is_atomic_and_can_be_repeated,
    dropped_reads_leave_no_transaction_open,
    a_write_after_its_deadline_is_not_executed,
];

/// Number of polls that none of these futures needs.
const POLLS: usize = 24;
/// Dropped writes of which a few must have begun. On a busy machine fewer have.
const ATTEMPTS_MAX: u32 = 500;

/// Polls a future at most `polls` times, then drops it.
async fn up_to<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Waits until no transaction is open.
async fn quiet(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    let wait = async {
        while !raw.is_quiet().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(IN_TIME, wait).await;
    waited.expect("no transaction stays open");
}

async fn dropped_calls_lose_no_message_and_leave_no_transaction_open(fixture: &StoreFixture) {
    const CALLERS: u64 = 12;
    const CALLS: u64 = 12;
    let replica = fixture.replica().await;
    let acknowledged = join_all((0..CALLERS).map(async |caller| {
        let store = if caller % 2 == 0 {
            &fixture.store
        } else {
            &replica
        };
        let mut acknowledged: Vec<MessageId> = Vec::new();
        for call in 0..CALLS {
            let operation = operation(send(&format!("caller{caller}"), &["bob", "cid"]));
            let app = app();
            let work = store.execute(&app, operation, in_time());
            let patience = match (caller + call) % 3 {
                0 => IN_TIME,
                _ => Duration::from_micros((caller * 131 + call * 977) % 4_000),
            };
            if let Ok(answer) = tokio::time::timeout(patience, work).await {
                let answer = answer.expect("sent");
                acknowledged.push(sent(Ok(answer)));
            }
        }
        acknowledged
    }))
    .await
    .concat();
    assert!(acknowledged.len() >= 48);
    quiet(fixture).await;
    let found = fixture.messages(&acknowledged).await;
    assert_eq!(found.len(), acknowledged.len());
    // Whole, or not at all: both recipients have the same.
    let messages = fixture
        .raw()
        .await
        .number("SELECT count(*) FROM message")
        .await;
    assert_eq!(fixture.counts("bob").await, (messages, messages, 0));
    assert_eq!(fixture.counts("cid").await, (messages, messages, 0));
    replica.close().await;
}

/// Drops a write to bob a moment after its start, and returns true if he got it. A write that had
/// not begun by then is not executed.
async fn is_executed_after_a_drop(fixture: &StoreFixture) -> bool {
    let (before, ..) = fixture.counts("bob").await;
    let (app, operation) = (app(), operation(send("ann", &["bob"])));
    let mut call = Box::pin(fixture.store.execute(&app, operation, in_time()));
    assert!(futures::poll!(&mut call).is_pending());
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let is_answered = futures::poll!(&mut call).is_ready();
    drop(call);
    // In each lane, writes have ended that were before this one.
    fixture.send("ann", &["bob"]).await;
    let (after, ..) = fixture.counts("bob").await;
    !is_answered && after == before + 2
}

async fn a_write_that_has_begun_runs_to_its_end_after_its_call_is_dropped(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    let mut executed = 0;
    for _ in 0..ATTEMPTS_MAX {
        executed += u32::from(is_executed_after_a_drop(fixture).await);
        if executed == 5 {
            return;
        }
    }
    panic!("executed only {executed} of {ATTEMPTS_MAX} times");
}

async fn a_write_dropped_in_the_queue_is_not_executed(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    for _ in 0..5 {
        let (app, operation) = (app(), operation(send("ann", &["bob"])));
        let mut call = Box::pin(fixture.store.execute(&app, operation, in_time()));
        assert!(futures::poll!(&mut call).is_pending());
        drop(call);
    }
    fixture.send("ann", &["bob"]).await;
    assert_eq!(fixture.counts("bob").await, (2, 2, 0));
}

async fn a_dropped_call_is_atomic_and_can_be_repeated(fixture: &StoreFixture) {
    for polls in 0..POLLS {
        // Each app is created by the call, which can be dropped there too.
        let app = other_app(&format!("app{polls}"));
        let letter = domain::Action::SendMessage(from_user("ann", &["bob"], bytes(1)));
        let operation = repeatable("once", 1, letter);
        let call = fixture.store.execute(&app, operation.clone(), in_time());
        let answer = up_to(polls, call).await;
        let again = fixture.execute(&app, operation).await;
        if let Some(answer) = answer {
            assert_eq!(answer.expect("sent"), again.clone().expect("sent"));
        }
        assert!(matches!(again, Ok(Outcome::Sent(_))));
        assert_eq!(
            fixture.counts_in(&app, "bob").await,
            (1, 1, 0),
            "{polls} polls"
        );
    }
    quiet(fixture).await;
}

async fn dropped_reads_leave_no_transaction_open(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    let counting = Scan {
        criteria: Criteria {
            sender: Some(profile("ann")),
            ..Criteria::default()
        },
        count: true,
        ..everything()
    };
    let store = &fixture.store;
    for polls in 0..POLLS {
        let (app, bob) = (app(), profile("bob"));
        up_to(polls, store.page(&app, &bob, Requester::App, &counting)).await;
        up_to(polls, store.repository_page(&app, &everything())).await;
        let stranger = profile(&format!("stranger{polls}"));
        up_to(polls, store.counts(&app, &stranger, Requester::Owner)).await;
        up_to(polls, store.ready()).await;
        up_to(polls, store.recount(None, true)).await;
        let nowhere = other_app(&format!("app{polls}"));
        up_to(polls, store.app_state(&nowhere)).await;
    }
    quiet(fixture).await;
    assert_eq!(fixture.page("bob", &counting).await.found.items.len(), 1);
    fixture.send("ann", &["bob"]).await;
    fixture.store.ready().await.expect("ready");
}

async fn a_write_after_its_deadline_is_not_executed(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    let before = fixture.raw().await.everything("app").await;
    let (app, late) = (app(), operation(send("ann", &["bob"])));
    let answer = fixture.store.execute(&app, late, Instant::now()).await;
    assert!(matches!(answer, Err(Error::Deadline)), "{answer:?}");
    assert_eq!(fixture.raw().await.everything("app").await, before);
}
