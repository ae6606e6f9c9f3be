//! Order of `seq` in a mailbox, and of locks over all mailboxes.

use std::time::Duration;

use domain::limits::HOUR_MS;
use domain::page::{Direction, Scan, Sort, SortField};
use domain::{Msgbox, Outcome};
use futures::future::join_all;
use support::however_gathered;

use super::builders::{app, delete, edit, mark, operation, recall, send, sent};
use super::fixture::{BatchStore, StoreFixture};
use super::page_offsets::everything;
use super::paging::items;

however_gathered![
    seq_and_times_have_the_same_order_when_the_clock_goes_back_a_little,
    times_go_back_with_a_clock_that_was_wrong,
    concurrent_sends_into_one_mailbox_are_numbered_without_gaps,
    two_devices_that_mark_the_same_entries_change_them_once,
    batches_over_the_same_mailboxes_in_opposite_orders_do_not_deadlock,
];

fn by_change() -> Scan {
    Scan {
        sort: Sort {
            field: SortField::UpdateTime,
            direction: Direction::Ascending,
        },
        ..everything()
    }
}

async fn times_go_back_with_a_clock_that_was_wrong(fixture: &StoreFixture) {
    let right = fixture.clock().now_ms();
    fixture.clock().advance(HOUR_MS);
    fixture.send("ann", &["bob"]).await;
    fixture.clock().set(right);
    let late = fixture.send("ann", &["bob"]).await;
    let found = fixture
        .entries("bob", Msgbox::Inbox, &[late], usize::MAX)
        .await;
    let [item] = &found.found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(item.entry.create_ms, right);
    assert_eq!(item.entry.seq, 2);
}

async fn seq_and_times_have_the_same_order_when_the_clock_goes_back_a_little(
    fixture: &StoreFixture,
) {
    let mut messages = Vec::new();
    for step in [500, -900, 10, 0, -1, 3_000, -800, 1] {
        fixture.clock().advance(step);
        messages.push(fixture.send("ann", &["bob", "ann"]).await);
        fixture
            .done(mark("bob", &messages[..1], messages.len() % 2 == 0))
            .await;
    }
    fixture
        .done(delete("bob", Msgbox::Inbox, &messages[2..4]))
        .await;
    assert!(messages.is_sorted(), "ids are in the order of sending");

    for owner in ["ann", "bob"] {
        let page = fixture.page(owner, &by_change()).await;
        let entries: Vec<_> = items(&page).iter().map(|item| item.entry.clone()).collect();
        assert!(entries.is_sorted_by(|one, other| one.seq < other.seq));
        assert!(entries.is_sorted_by_key(|entry| entry.update_ms));
        assert!(
            entries
                .iter()
                .all(|entry| entry.create_ms <= entry.update_ms)
        );
        assert!(entries.iter().all(|entry| entry.seq <= page.offset.seq));
    }
    let raw = fixture.raw().await;
    let backwards = "SELECT count(*) FROM msgbox_deleted one JOIN msgbox_deleted other
        ON other.app_no = one.app_no AND other.mailbox_id = one.mailbox_id
        AND other.seq > one.seq AND other.delete_ms < one.delete_ms";
    assert_eq!(raw.number(backwards).await, 0);
    let late = "SELECT count(*) FROM mailbox b JOIN msgbox e ON e.app_no = b.app_no
        AND e.mailbox_id = b.mailbox_id WHERE e.update_ms > b.clock_ms OR e.seq > b.seq";
    assert_eq!(raw.number(late).await, 0);
}

async fn concurrent_sends_into_one_mailbox_are_numbered_without_gaps(fixture: &StoreFixture) {
    const SENDERS: usize = 8;
    const EACH: usize = 10;
    let replica = fixture.replica().await;
    let stores = [&fixture.store, &replica];
    join_all((0..SENDERS).map(async |sender| {
        for _ in 0..EACH {
            let action = send(&format!("sender{sender}"), &["hot"]);
            sent(stores[sender % 2].run(&app(), operation(action)).await);
        }
    }))
    .await;
    let page = fixture.page("hot", &by_change()).await;
    let numbers: Vec<i64> = items(&page).iter().map(|item| item.entry.seq).collect();
    let all = i64::try_from(SENDERS * EACH).expect("few");
    assert_eq!(numbers, (1..=all).collect::<Vec<_>>());
    assert_eq!(page.offset.seq, all);
    replica.close().await;
}

async fn two_devices_that_mark_the_same_entries_change_them_once(fixture: &StoreFixture) {
    let mut messages = Vec::new();
    for _ in 0..10 {
        messages.push(fixture.send("ann", &["bob"]).await);
    }
    let replica = fixture.replica().await;
    let devices = [&fixture.store, &replica, &fixture.store, &replica];
    join_all(devices.map(async |store| {
        let operation = operation(mark("bob", &messages, true));
        let marked = store.run(&app(), operation).await;
        assert_eq!(marked, Ok(Outcome::Changed(10)));
    }))
    .await;
    let page = fixture.page("bob", &by_change()).await;
    assert!(items(&page).iter().all(|item| item.entry.version == 2));
    assert_eq!(page.offset.seq, 20);
    assert_eq!(fixture.counts("bob").await, (10, 0, 0));
    replica.close().await;
}

/// A batch that touches all of the mailboxes, named in that order.
async fn storm(store: &BatchStore, round: usize, owners: &[String]) {
    let others: Vec<&str> = owners.iter().map(String::as_str).collect();
    let sends = owners.iter().map(|owner| send(owner, &others));
    let batch = sends.map(|action| (app(), operation(action))).collect();
    let verdicts = store.try_batch(batch).await.expect("nobody is in the way");
    let messages: Vec<_> = verdicts.into_iter().map(sent).collect();
    let actions = owners.iter().zip(&messages).flat_map(|(owner, message)| {
        [
            mark(owner, &messages, true),
            edit(owner, *message, "again"),
            recall(owner, Msgbox::Sent, &[*message]),
            delete(owner, Msgbox::Inbox, &messages),
        ]
    });
    // In each round another part of them.
    let some = actions.skip(round % 4).step_by(1 + round % 3);
    let batch = some.map(|action| (app(), operation(action))).collect();
    store.try_batch(batch).await.expect("nobody is in the way");
}

async fn batches_over_the_same_mailboxes_in_opposite_orders_do_not_deadlock(
    fixture: &StoreFixture,
) {
    const ROUNDS: usize = 12;
    let raw = fixture.raw().await;
    raw.look_for_deadlocks_at_once().await;
    let (before, backends) = (raw.deadlocks().await, raw.backends().await);
    let stores = [fixture.replica().await, fixture.replica().await];
    let forth: Vec<String> = (0..6).map(|number| format!("owner{number}")).collect();
    let back: Vec<String> = forth.iter().rev().cloned().collect();
    join_all((0..4).map(async |worker| {
        let (store, owners) = (&stores[worker % 2], [&forth, &back][worker / 2]);
        for round in 0..ROUNDS {
            storm(store, round + worker, owners).await;
        }
    }))
    .await;
    for store in stores {
        store.close().await;
    }
    // A backend reports its statistics when it ends.
    while raw.backends().await > backends {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(raw.deadlocks().await - before, 0);
}
