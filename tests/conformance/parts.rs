//! Operations of more entries than one transaction takes: they go on in parts, and others run
//! between these.

use std::pin::pin;
use std::sync::Arc;

use domain::limits::{BATCH_ENTRIES_MAX, DAY_MS, PART_ENTRIES};
use domain::{Action, MessageId, Msgbox, Outcome, Refusal};
use futures::future::{join, join_all};
use futures::poll;
use storage::Requester;
use storage_sql::{Options, StoreClock};
use support::{gears, on_each_database};

use super::builders::{
    announce, app, clear, delete, from_user, lasting, mark, open, operation, profile, recall,
    remove, repeatable, send, sent, settle, text, to_all,
};
use super::fixture::{StoreFixture, in_time};
use super::lanes::TickingClock;

on_each_database![
    a_mailbox_of_which_much_is_due_at_once_is_settled,
    a_mailbox_takes_many_bulk_messages_in_parts,
    many_mailboxes_take_bulk_messages_in_parts,
    an_operation_waits_until_its_mailboxes_are_settled,
    a_box_of_many_entries_is_cleared_and_counted_once,
    named_entries_are_marked_and_deleted_in_parts,
    small_operations_run_between_the_parts_of_a_large_one,
    entries_that_arrive_while_a_box_is_cleared_stay,
    messages_with_many_holders_are_recalled_in_parts_and_counted_once,
    a_recall_that_is_not_allowed_for_the_last_message_recalls_none,
];

/// Entries that fall due at once, or are cleared.
fn entries() -> usize {
    if gears::second() {
        9_999
    } else {
        5 * PART_ENTRIES
    }
}

/// Fills the inbox of `b` with messages that expire after a day.
pub async fn fill(fixture: &StoreFixture, messages: usize) {
    let mut left = messages;
    while left > 0 {
        let count = left.min(250);
        let message = || lasting(from_user("ann", &["b"], text("hello")), DAY_MS);
        let batch = (0..count).map(|_| message().into());
        for verdict in fixture.batch(batch).await {
            sent(verdict);
        }
        left -= count;
    }
}

async fn a_mailbox_of_which_much_is_due_at_once_is_settled(fixture: &StoreFixture) {
    fill(fixture, entries()).await;
    let kept = fixture.announce(&["b"]).await;
    fixture.clock().advance(DAY_MS);
    let (app, b) = (app(), profile("b"));
    let counts = fixture.store.counts(&app, &b, Requester::Owner).await;
    assert_eq!(counts.expect("counts").counts.inbox_total, 1);
    let entry = fixture
        .entries("b", Msgbox::Inbox, &[kept], usize::MAX)
        .await;
    assert_eq!(entry.found.len(), 1);
    assert_eq!(fixture.counts("ann").await, (0, 0, 0));
}

/// Options of a store each of whose transactions has a time of its own.
fn ticking(fixture: &StoreFixture) -> Options {
    Options {
        clock: StoreClock::Trusted(Arc::new(TickingClock::default())),
        ..fixture.test.options.clone()
    }
}

/// Maximum number of entries with the same time of their last change.
async fn largest_change(fixture: &StoreFixture) -> usize {
    let largest = "SELECT max(entries) FROM (
        SELECT count(*) AS entries FROM msgbox GROUP BY update_ms
    ) AS parts";
    let largest = fixture.raw().await.number(largest).await;
    usize::try_from(largest).expect("a number")
}

/// Settles mailboxes that lack bulk messages, all at once. Returns the maximum number of entries
/// that one transaction added.
async fn settled_at_once(fixture: &StoreFixture, owners: &[String], messages: usize) -> usize {
    for owner in owners {
        fixture.done(open(owner)).await;
    }
    let sent_to_all = fixture.batch((0..messages).map(|_| to_all())).await;
    assert!(sent_to_all.iter().all(Result::is_ok));
    let store = fixture.store_of(&ticking(fixture)).await;
    let settles = owners.iter().map(|owner| {
        let (store, settle) = (&store, operation(settle(owner)));
        async move { store.run(&app(), settle).await }
    });
    assert!(join_all(settles).await.iter().all(Result::is_ok));
    store.close().await;
    for owner in owners {
        let taken = i64::try_from(messages).expect("a few");
        assert_eq!(fixture.counts(owner).await, (taken, taken, 0));
    }
    largest_change(fixture).await
}

async fn a_mailbox_takes_many_bulk_messages_in_parts(fixture: &StoreFixture) {
    let messages = 2 * PART_ENTRIES + 7;
    let largest = settled_at_once(fixture, &["b".to_owned()], messages).await;
    assert_eq!(largest, PART_ENTRIES);
}

async fn many_mailboxes_take_bulk_messages_in_parts(fixture: &StoreFixture) {
    let owners: Vec<String> = (0..80).map(|number| format!("u{number}")).collect();
    let largest = settled_at_once(fixture, &owners, 60).await;
    assert!(largest <= BATCH_ENTRIES_MAX, "{largest}");
}

async fn an_operation_waits_until_its_mailboxes_are_settled(fixture: &StoreFixture) {
    fill(fixture, entries()).await;
    let last = fixture.announce(&["b"]).await;
    fixture.clock().advance(DAY_MS);
    let marked = fixture.done(mark("b", &[last], true)).await;
    assert_eq!(marked, Outcome::Changed(1));
    fixture.done(announce(&["b", "c"])).await;
    assert_eq!(fixture.counts("b").await, (2, 1, 0));
    assert_eq!(fixture.counts("c").await, (1, 1, 0));
}

async fn a_box_of_many_entries_is_cleared_and_counted_once(fixture: &StoreFixture) {
    fill(fixture, entries()).await;
    let all = u32::try_from(entries()).expect("a few");
    for _ in 0..2 {
        let clear = repeatable("clear", 1, clear("b", Msgbox::Inbox));
        let cleared = fixture.execute(&app(), clear).await;
        assert_eq!(cleared, Ok(Outcome::Changed(all)));
    }
    assert_eq!(fixture.counts("b").await, (0, 0, 0));
    assert_eq!(
        fixture.done(clear("b", Msgbox::Inbox)).await,
        Outcome::Changed(0)
    );
}

async fn named_entries_are_marked_and_deleted_in_parts(fixture: &StoreFixture) {
    let mut messages = Vec::new();
    while messages.len() < 3 * PART_ENTRIES {
        let announced = fixture.batch((0..PART_ENTRIES).map(|_| announce(&["b"])));
        messages.extend(announced.await.into_iter().map(sent));
    }
    let store = fixture.store_of(&ticking(fixture)).await;
    let all = u32::try_from(messages.len()).expect("a few");
    let marked = operation(mark("b", &messages, true));
    let marked = store.run(&app(), marked).await;
    assert_eq!(marked, Ok(Outcome::Changed(all)));
    assert_eq!(fixture.counts("b").await, (i64::from(all), 0, 0));
    assert_eq!(largest_change(fixture).await, PART_ENTRIES);
    let deleted = operation(delete("b", Msgbox::Inbox, &messages));
    let deleted = store.run(&app(), deleted).await;
    assert_eq!(deleted, Ok(Outcome::Changed(all)));
    store.close().await;
    assert_eq!(fixture.counts("b").await, (0, 0, 0));
}

async fn small_operations_run_between_the_parts_of_a_large_one(fixture: &StoreFixture) {
    fill(fixture, 16 * PART_ENTRIES).await;
    fixture.send("x", &["y"]).await;
    let (app, clears) = (app(), operation(clear("b", Msgbox::Inbox)));
    let mut clearing = pin!(fixture.store.execute(&app, clears, in_time()));
    assert!(poll!(&mut clearing).is_pending());
    // Queued behind it.
    fixture.send("x", &["y"]).await;
    assert!(poll!(&mut clearing).is_pending(), "the box is cleared");
    let all = u32::try_from(16 * PART_ENTRIES).expect("a few");
    let cleared = clearing.await.expect("a cleared box");
    assert_eq!(cleared, Outcome::Changed(all));
}

async fn entries_that_arrive_while_a_box_is_cleared_stay(fixture: &StoreFixture) {
    fill(fixture, entries()).await;
    let parts = entries() / PART_ENTRIES;
    let clearing = fixture.done(clear("b", Msgbox::Inbox));
    let sending = async {
        for _ in 0..parts {
            fixture.done(announce(&["b"])).await;
        }
    };
    let (cleared, ()) = join(clearing, sending).await;
    let Outcome::Changed(cleared) = cleared else {
        panic!("{cleared:?}");
    };
    let (total, ..) = fixture.counts("b").await;
    let sum = usize::try_from(cleared).expect("a few") + usize::try_from(total).expect("a few");
    assert_eq!(sum, entries() + parts);
    assert!(total >= 1, "all was cleared");
}

/// Messages of one recall, and holders of each.
const RECALLED: usize = 60;
const HOLDERS: usize = 20;

async fn send_to_many(fixture: &StoreFixture) -> (Vec<String>, Vec<MessageId>) {
    let names: Vec<String> = (0..HOLDERS).map(|number| format!("r{number}")).collect();
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    let sends: Vec<Action> = (0..RECALLED).map(|_| send("ann", &to)).collect();
    let ids = fixture.batch(sends).await.into_iter().map(sent);
    let ids = ids.collect();
    (names, ids)
}

async fn messages_with_many_holders_are_recalled_in_parts_and_counted_once(fixture: &StoreFixture) {
    let all = u32::try_from(RECALLED).expect("a few");
    for by_app in [false, true] {
        let (names, ids) = send_to_many(fixture).await;
        let action = || {
            if by_app {
                remove(&ids)
            } else {
                recall("ann", Msgbox::Sent, &ids)
            }
        };
        for _ in 0..2 {
            let request = repeatable(&format!("recall-{by_app}"), 1, action());
            let recalled = fixture.execute(&app(), request).await;
            assert_eq!(recalled, Ok(Outcome::Changed(all)));
        }
        for name in &names {
            assert_eq!(fixture.counts(name).await, (0, 0, 0), "{name}");
        }
        assert_eq!(fixture.counts("ann").await, (0, 0, 0));
        assert_eq!(fixture.done(action()).await, Outcome::Changed(0));
    }
}

async fn a_recall_that_is_not_allowed_for_the_last_message_recalls_none(fixture: &StoreFixture) {
    let (names, mut ids) = send_to_many(fixture).await;
    let of_app = fixture.announce(&["ann"]).await;
    // By its recipient, who may not; the others are not in this inbox.
    ids.push(of_app);
    let refused = fixture.act(recall("ann", Msgbox::Inbox, &ids)).await;
    assert_eq!(refused, Err(Refusal::NotAllowed));
    let all = i64::try_from(RECALLED).expect("a few");
    assert_eq!(fixture.counts(&names[0]).await, (all, all, 0));
    assert_eq!(fixture.counts("ann").await, (1, 1, all));
}
