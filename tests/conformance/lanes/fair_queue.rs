//! Order of operations in a lane's fair queue.

use std::task::Poll;
use std::time::{Duration, Instant};

use domain::limits::{
    BATCH_ENTRIES_MAX, BATCH_OPERATIONS_MAX, CONTENT_BYTES_CAP, LARGE_ENTRIES_MIN, MESSAGE_IDS_MAX,
    QUEUED_OPERATIONS_MAX,
};
use domain::{Action, MessageId, Millis, Outcome};
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _, poll};
use storage::Error;
use support::on_each_database;

use super::super::builders::{
    announce, app, bytes, from_app, mark, nobodys, open, operation, send, text,
};
use super::super::fixture::{StoreFixture, in_time};
use super::{QueuedCall, TestLane, assert_done, there};

on_each_database![
    a_backlog_of_one_app_does_not_delay_another,
    a_backlog_of_one_user_does_not_delay_another,
    a_backlog_of_the_app_itself_does_not_delay_its_users,
    marks_of_one_user_to_and_fro_delay_another_by_one_turn,
    the_user_with_most_operations_in_a_full_queue_gives_way,
    the_app_with_most_operations_in_a_full_queue_gives_way,
    operations_without_content_keep_their_place_in_a_queue_full_of_bytes,
    operations_of_a_batch_keep_the_order_of_arrival,
    dropped_operations_take_no_room_in_a_batch,
    an_operation_in_the_last_quarter_of_its_time_is_refused,
    large_operations_alternate_with_small_ones,
];

/// Recipients of a message after which a batch takes no more such ones.
const CROWD: usize = LARGE_ENTRIES_MIN;

/// Send time of a message. All operations of a batch have the same.
async fn sent_at(call: QueuedCall) -> Millis {
    match call.await {
        Ok(Outcome::Sent(sent)) => sent.send_ms,
        other => panic!("{other:?}"),
    }
}

async fn a_backlog_of_one_app_does_not_delay_another(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let much = (0..3 * BATCH_OPERATIONS_MAX).map(|_| lane.queue_in_time(send("ann", &["bob"])));
    let much: Vec<QueuedCall> = much.collect();
    let little = lane.queue(there(), operation(send("cid", &["dan"])), in_time());
    standing.go_on().await;
    let much = join_all(much.into_iter().map(sent_at)).await;
    assert_eq!(sent_at(little).await, much[0]);
    assert!(much.is_sorted());
    assert!(much[0] < much[BATCH_OPERATIONS_MAX - 1], "{much:?}");
    lane.store.close().await;
}

/// A backlog of one actor, of several batches, and an operation behind it of a user of the same app.
async fn assert_passes(fixture: &StoreFixture, backlog: Action) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let much = (0..3 * BATCH_OPERATIONS_MAX).map(|_| lane.queue_in_time(backlog.clone()));
    let much: Vec<QueuedCall> = much.collect();
    let little = lane.queue_in_time(send("cid", &["dan"]));
    standing.go_on().await;
    let much = join_all(much.into_iter().map(sent_at)).await;
    assert_eq!(sent_at(little).await, much[0]);
    assert!(much[0] < much[BATCH_OPERATIONS_MAX - 1], "{much:?}");
    lane.store.close().await;
}

async fn a_backlog_of_one_user_does_not_delay_another(fixture: &StoreFixture) {
    assert_passes(fixture, send("ann", &["bob"])).await;
}

async fn a_backlog_of_the_app_itself_does_not_delay_its_users(fixture: &StoreFixture) {
    assert_passes(fixture, announce(&["bob"])).await;
}

async fn marks_of_one_user_to_and_fro_delay_another_by_one_turn(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let ids: Vec<MessageId> = (0..MESSAGE_IDS_MAX).map(|_| nobodys()).collect();
    let marks = (0..20).map(|number| mark("ann", &ids, number % 2 == 0));
    let marks: Vec<QueuedCall> = marks.map(|mark| lane.queue_in_time(mark)).collect();
    let other = lane.queue_in_time(mark("bob", &ids, true));
    let names = std::iter::repeat_n("ann", marks.len()).chain(["bob"]);
    let calls = marks.into_iter().chain([other]).zip(names);
    let calls: FuturesUnordered<_> = calls
        .map(|(call, name)| call.map(move |answer| (name, answer)))
        .collect();
    standing.go_on().await;
    let answers: Vec<(&str, Result<Outcome, Error>)> = calls.collect().await;
    for (_, answer) in &answers {
        assert_done(answer);
    }
    let position = answers.iter().position(|(name, _)| *name == "bob");
    // A batch is in the order of arrival.
    let first_batch = BATCH_ENTRIES_MAX / MESSAGE_IDS_MAX;
    assert!(position < Some(first_batch), "{position:?}");
    lane.store.close().await;
}

async fn the_user_with_most_operations_in_a_full_queue_gives_way(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let calls = (0..QUEUED_OPERATIONS_MAX).map(|number| match number {
        0..5 => lane.queue_in_time(open(&format!("user{number}"))),
        _ => lane.queue_in_time(open("ann")),
    });
    let mut calls: Vec<QueuedCall> = calls.collect();
    let others = (5..8).map(|number| lane.queue_in_time(open(&format!("user{number}"))));
    let others: Vec<QueuedCall> = others.collect();
    for gave_way in calls.split_off(QUEUED_OPERATIONS_MAX - others.len()) {
        let answer = gave_way.await;
        assert!(matches!(answer, Err(Error::Overloaded)), "{answer:?}");
    }
    standing.go_on().await;
    join_all(calls).await.iter().for_each(assert_done);
    join_all(others).await.iter().for_each(assert_done);
    lane.store.close().await;
}

async fn the_app_with_most_operations_in_a_full_queue_gives_way(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let calls = 0..QUEUED_OPERATIONS_MAX;
    let calls = calls.map(|number| lane.queue_in_time(open(&format!("user{number}"))));
    let mut calls: Vec<QueuedCall> = calls.collect();
    let others = (0..3).map(|number| {
        let other = operation(open(&format!("other{number}")));
        lane.queue(there(), other, in_time())
    });
    let others: Vec<QueuedCall> = others.collect();
    for gave_way in calls.split_off(QUEUED_OPERATIONS_MAX - others.len()) {
        let answer = gave_way.await;
        assert!(matches!(answer, Err(Error::Overloaded)), "{answer:?}");
    }
    standing.go_on().await;
    join_all(calls).await.iter().for_each(assert_done);
    join_all(others).await.iter().for_each(assert_done);
    lane.store.close().await;
}

async fn large_operations_alternate_with_small_ones(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let small = (0..2 * BATCH_OPERATIONS_MAX).map(|_| lane.queue_in_time(send("ann", &["bob"])));
    let small: Vec<QueuedCall> = small.collect();
    let crowd: Vec<String> = (0..CROWD).map(|it| format!("user{it}")).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let large = [(); 3].map(|()| {
        let news = Action::SendMessage(from_app(&crowd, text("news")));
        lane.queue_in_time(news)
    });
    standing.go_on().await;
    let small = join_all(small.into_iter().map(sent_at)).await;
    let large = join_all(large.map(sent_at)).await;
    let [first, middle, last] = [0, BATCH_OPERATIONS_MAX, small.len() - 1].map(|it| small[it]);
    assert!(first < middle && middle < last, "{small:?}");
    // The last one runs alone: the queue is empty by then.
    assert_eq!(large[..2], [first, last]);
    assert!(large[2] > last, "{large:?}");
    lane.store.close().await;
}

async fn operations_without_content_keep_their_place_in_a_queue_full_of_bytes(
    fixture: &StoreFixture,
) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let large = |to| Action::SendMessage(from_app(&[to], bytes(CONTENT_BYTES_CAP)));
    let mut contents: Vec<QueuedCall> = Vec::new();
    // Until no more fit.
    let beyond = loop {
        let mut call = lane.call(app(), operation(large("bob")), in_time());
        match poll!(&mut call) {
            Poll::Pending => contents.push(call),
            Poll::Ready(answer) => break answer,
        }
    };
    assert!(matches!(beyond, Err(Error::Overloaded)), "{beyond:?}");
    let weightless: Vec<QueuedCall> = (0..3).map(|_| lane.queue_in_time(open("cid"))).collect();
    let other = lane.queue(there(), operation(large("dan")), in_time());
    let gave_way = contents.pop().expect("many").await;
    assert!(matches!(gave_way, Err(Error::Overloaded)), "{gave_way:?}");
    drop(contents);
    standing.go_on().await;
    join_all(weightless).await.iter().for_each(assert_done);
    // It was looked at, and is more than the policy allows.
    let answer = other.await;
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    lane.store.close().await;
}

async fn operations_of_a_batch_keep_the_order_of_arrival(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let calls = (0..100).map(|number| {
        let app = if number % 3 == 0 { there() } else { app() };
        lane.queue(app, operation(send("ann", &["bob"])), in_time())
    });
    let calls: Vec<QueuedCall> = calls.collect();
    standing.go_on().await;
    let ids = join_all(calls)
        .await
        .into_iter()
        .map(|answer| match answer {
            Ok(Outcome::Sent(sent)) => sent.message_id,
            other => panic!("{other:?}"),
        });
    assert!(ids.is_sorted());
    lane.store.close().await;
}

async fn dropped_operations_take_no_room_in_a_batch(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let standing = lane.stop().await;
    let first = lane.queue_in_time(send("ann", &["bob"]));
    let crowd = (0..3 * BATCH_OPERATIONS_MAX).map(|_| lane.queue_in_time(send("cid", &["bob"])));
    drop(crowd.collect::<Vec<QueuedCall>>());
    let last = lane.queue_in_time(send("ann", &["bob"]));
    standing.go_on().await;
    assert_eq!(sent_at(first).await, sent_at(last).await);
    assert_eq!(fixture.counts("bob").await, (2, 2, 0));
    lane.store.close().await;
}

/// The answer to an operation that has spent more than three quarters of its time in the queue,
/// however long it took to get there.
async fn answer_late(lane: &TestLane<'_>, patience: Duration) -> Result<Outcome, Error> {
    let standing = lane.stop().await;
    let deadline = Instant::now() + patience;
    let pressed = lane.queue(app(), operation(send("ann", &["bob"])), deadline);
    let queued = Instant::now();
    let rest = deadline.saturating_duration_since(queued);
    tokio::time::sleep_until((queued + rest * 77 / 100).into()).await;
    standing.go_on().await;
    pressed.await
}

async fn an_operation_in_the_last_quarter_of_its_time_is_refused(fixture: &StoreFixture) {
    let lane = TestLane::open(fixture).await;
    let mut patience = Duration::from_secs(1);
    // A machine that is busy may let all of the time pass: then there is more of it.
    let answer = loop {
        match answer_late(&lane, patience).await {
            Err(Error::Deadline) => patience *= 4,
            answer => break answer,
        }
    };
    assert!(matches!(answer, Err(Error::Overloaded)), "{answer:?}");
    assert_done(&lane.queue_in_time(send("cid", &["bob"])).await);
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    lane.store.close().await;
}
