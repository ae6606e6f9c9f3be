//! Callers who stop waiting: what has begun runs to its end, and nothing stays open.

use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use domain::page::{Criteria, Scan};
use domain::{MessageId, Outcome};
use futures::future::{join_all, poll_fn};
use storage::{Error, Reader};
use support::however_gathered;

use super::bench::{Bench, IN_TIME, in_time};
use super::turning::everything;
use super::words::{app, bytes, from_user, operation, other_app, profile, repeatable, send, sent};

however_gathered![
    calls_that_are_dropped_among_others_lose_nothing_and_leave_nothing_open,
    a_write_that_has_begun_runs_to_its_end_without_its_caller,
    a_write_that_was_given_up_before_its_turn_is_not_done,
    a_call_that_is_dropped_at_any_point_is_done_or_not_and_can_be_repeated,
    reads_that_are_dropped_at_any_point_leave_nothing_open,
    after_its_deadline_nothing_is_done,
];

/// More often than any of these futures is polled.
const POLLS: usize = 24;

/// Polls a future so often at the most, and drops it then.
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

/// Waits until nobody is in the middle of a transaction.
async fn quiet(bench: &Bench) {
    let raw = bench.raw().await;
    let wait = async {
        while !raw.is_quiet().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(IN_TIME, wait).await;
    waited.expect("no transaction stays open");
}

async fn calls_that_are_dropped_among_others_lose_nothing_and_leave_nothing_open(bench: &Bench) {
    const CALLERS: u64 = 12;
    const CALLS: u64 = 12;
    let replica = bench.replica().await;
    let acknowledged = join_all((0..CALLERS).map(async |caller| {
        let store = if caller % 2 == 0 {
            &bench.store
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
    quiet(bench).await;
    let found = bench.messages(&acknowledged).await;
    assert_eq!(found.len(), acknowledged.len());
    // Whole, or not at all: both recipients have the same.
    let messages = bench
        .raw()
        .await
        .number("SELECT count(*) FROM message")
        .await;
    assert_eq!(bench.counts("bob").await, (messages, messages, 0));
    assert_eq!(bench.counts("cid").await, (messages, messages, 0));
    replica.close().await;
}

async fn a_write_that_has_begun_runs_to_its_end_without_its_caller(bench: &Bench) {
    bench.send("ann", &["bob"]).await;
    for dropped in 1..=5 {
        let (app, operation) = (app(), operation(send("ann", &["bob"])));
        let mut call = bench.store.execute(&app, operation, in_time());
        assert!(futures::poll!(&mut call).is_pending());
        // Now it begins.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        drop(call);
        let arrives = async {
            while bench.counts("bob").await != (1 + dropped, 1 + dropped, 0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(IN_TIME, arrives).await;
        waited.expect("the message arrives");
    }
}

async fn a_write_that_was_given_up_before_its_turn_is_not_done(bench: &Bench) {
    bench.send("ann", &["bob"]).await;
    for _ in 0..5 {
        let (app, operation) = (app(), operation(send("ann", &["bob"])));
        let mut call = bench.store.execute(&app, operation, in_time());
        assert!(futures::poll!(&mut call).is_pending());
        drop(call);
    }
    bench.send("ann", &["bob"]).await;
    assert_eq!(bench.counts("bob").await, (2, 2, 0));
}

async fn a_call_that_is_dropped_at_any_point_is_done_or_not_and_can_be_repeated(bench: &Bench) {
    for polls in 0..POLLS {
        // Each app begins with the call: that can be dropped too.
        let app = other_app(&format!("app{polls}"));
        let letter = domain::Action::Deliver(from_user("ann", &["bob"], bytes(1)));
        let operation = repeatable("once", 1, letter);
        let call = bench.store.execute(&app, operation.clone(), in_time());
        let answer = up_to(polls, call).await;
        let again = bench.execute(&app, operation).await;
        if let Some(answer) = answer {
            assert_eq!(answer.expect("sent"), again.clone().expect("sent"));
        }
        assert!(matches!(again, Ok(Outcome::Sent(_))));
        assert_eq!(
            bench.counts_in(&app, "bob").await,
            (1, 1, 0),
            "{polls} polls"
        );
    }
    quiet(bench).await;
}

async fn reads_that_are_dropped_at_any_point_leave_nothing_open(bench: &Bench) {
    bench.send("ann", &["bob"]).await;
    let counting = Scan {
        criteria: Criteria {
            from: Some(profile("ann")),
            ..Criteria::default()
        },
        count: true,
        ..everything()
    };
    let store = &bench.store;
    for polls in 0..POLLS {
        let (app, bob) = (app(), profile("bob"));
        up_to(polls, store.page(&app, &bob, Reader::App, &counting)).await;
        up_to(polls, store.repository_page(&app, &everything())).await;
        let stranger = profile(&format!("stranger{polls}"));
        up_to(polls, store.counts(&app, &stranger, Reader::Owner)).await;
        up_to(polls, store.ready()).await;
        up_to(polls, store.audit(None, true)).await;
        let nowhere = other_app(&format!("app{polls}"));
        up_to(polls, store.settings(&nowhere)).await;
    }
    quiet(bench).await;
    assert_eq!(bench.page("bob", &counting).await.found.items.len(), 1);
    bench.send("ann", &["bob"]).await;
    bench.store.ready().await.expect("ready");
}

async fn after_its_deadline_nothing_is_done(bench: &Bench) {
    bench.send("ann", &["bob"]).await;
    let before = bench.raw().await.everything("app").await;
    let (app, late) = (app(), operation(send("ann", &["bob"])));
    let answer = bench.store.execute(&app, late, Instant::now()).await;
    assert!(matches!(answer, Err(Error::Deadline)), "{answer:?}");
    assert_eq!(bench.raw().await.everything("app").await, before);
}
