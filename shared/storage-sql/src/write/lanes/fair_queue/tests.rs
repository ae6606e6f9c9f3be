use std::time::Duration;

use domain::limits::LARGE_ENTRIES_MIN;
use tokio::time::{advance, timeout};

use super::round_robin::tests::{mark, name};
use super::*;

const TOOK: Duration = Duration::from_millis(20);

/// Users of the operations in the next batch.
async fn next_batch(queue: &FairQueue) -> Vec<String> {
    let batch = queue.next_batch(100).await.expect("a batch");
    batch.operations().map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn large_operations_of_users_pause_for_small_ones() {
    let queue = FairQueue::new(LaneMetrics::new());
    let push = |owner, entries| queue.push(mark(1, owner, entries)).expect("room");
    push("ann", LARGE_ENTRIES_MIN);
    assert_eq!(next_batch(&queue).await, ["1/ann"]);
    push("bob", 1);
    push("ann", LARGE_ENTRIES_MIN);
    advance(TOOK).await;
    assert_eq!(next_batch(&queue).await, ["1/bob"]);
    let during = timeout(TOOK / 2, next_batch(&queue)).await;
    assert!(during.is_err(), "{during:?}");
    push("cid", 1);
    assert_eq!(next_batch(&queue).await, ["1/cid"]);
    assert_eq!(next_batch(&queue).await, ["1/ann"]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_queue_has_no_pauses() {
    let queue = FairQueue::new(LaneMetrics::new());
    let push = |owner, entries| queue.push(mark(1, owner, entries)).expect("room");
    push("ann", LARGE_ENTRIES_MIN);
    assert_eq!(next_batch(&queue).await, ["1/ann"]);
    push("bob", 1);
    push("ann", LARGE_ENTRIES_MIN);
    advance(TOOK).await;
    queue.close();
    assert_eq!(next_batch(&queue).await, ["1/bob"]);
    let rest = timeout(TOOK / 2, next_batch(&queue)).await;
    assert_eq!(rest.expect("no pause"), ["1/ann"]);
}
