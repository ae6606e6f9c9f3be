//! A large mailbox among many small ones, in a real store on `PostgreSQL`: an operation reads as
//! many rows as it names.
//!
//! Rows are counted by the server, when the connections of a store end.

use domain::limits::DAY_MS;
use domain::{MessageId, Msgbox};
use storage::Requester;
use support::{gears, on_postgres};

use super::super::builders::{announce, app, clear, mark, operation, profile, sent};
use super::super::fixture::{ALL_BYTES, BatchStore, StoreFixture};

on_postgres![
    an_operation_on_a_large_box_reads_the_entries_that_it_names,
    a_large_box_that_falls_due_is_settled_by_reading_it_a_few_times,
];

/// Number of small mailboxes, and of those that one message goes to.
const SMALL_BOXES: usize = 1_000;
const RECIPIENTS: usize = 100;
/// Number of messages that are sent in one transaction.
const BATCH: usize = 250;
/// Number of entries in one call.
const NAMED: usize = 500;
/// Maximum number of rows read for each entry: the entry, its message, and one more look at either.
const ROWS_PER_ENTRY: i64 = 4;
/// Maximum number of rows read besides, such as those of the app in each part.
const OTHER_ROWS: i64 = 200;

/// Entries of the large mailbox.
fn entries() -> usize {
    if gears::second() { 9_000 } else { 2_000 }
}

async fn an_operation_on_a_large_box_reads_the_entries_that_it_names(fixture: &StoreFixture) {
    let messages = fill(fixture).await;
    let (app, b) = (app(), profile("b"));
    let named = &messages[..NAMED];
    let get = async |store: &BatchStore| {
        let entries = store.entries(&app, &b, Msgbox::Inbox, named, ALL_BYTES);
        assert_eq!(entries.await.expect("entries").found.len(), NAMED);
    };
    assert_cheap(fixture, "GetMessages", NAMED, get).await;
    let read = async |store: &BatchStore| {
        let found = store.messages(&app, named, ALL_BYTES).await;
        assert_eq!(found.expect("messages").found.len(), NAMED);
    };
    assert_cheap(fixture, "Sys.GetMessages", NAMED, read).await;
    let marks = async |store: &BatchStore| {
        let marked = store.run(&app, operation(mark("b", named, true))).await;
        marked.expect("marked");
    };
    assert_cheap(fixture, "MarkMessagesRead", NAMED, marks).await;
    let clears = async |store: &BatchStore| {
        let cleared = store.run(&app, operation(clear("b", Msgbox::Inbox))).await;
        cleared.expect("cleared");
    };
    assert_cheap(fixture, "ClearMessages", messages.len(), clears).await;
    assert_eq!(fixture.counts("b").await, (0, 0, 0));
}

async fn a_large_box_that_falls_due_is_settled_by_reading_it_a_few_times(fixture: &StoreFixture) {
    let messages = fill(fixture).await;
    fixture.clock().advance(40 * DAY_MS);
    let counts = async |store: &BatchStore| {
        let counts = store.counts(&app(), &profile("b"), Requester::Owner).await;
        assert_eq!(counts.expect("counts").counts.inbox_total, 0);
    };
    assert_cheap(fixture, "GetMessageCounts", messages.len(), counts).await;
}

/// Sends a message to each of many mailboxes, analyzes them, and fills mailbox `b`.
async fn fill(fixture: &StoreFixture) -> Vec<MessageId> {
    let store = fixture.replica().await;
    let names: Vec<String> = (0..SMALL_BOXES)
        .map(|number| format!("s{number}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let small = names
        .chunks(RECIPIENTS)
        .map(|names| (app(), operation(announce(names))));
    store.batch(small.collect()).await;
    fixture.raw().await.run("ANALYZE").await;
    let mut messages = Vec::new();
    while messages.len() < entries() {
        let batch = (0..BATCH).map(|_| (app(), operation(announce(&["b"]))));
        messages.extend(store.batch(batch.collect()).await.into_iter().map(sent));
    }
    store.close().await;
    messages
}

/// Does something on a store of its own, and asserts that it reads few rows for `entries` entries.
async fn assert_cheap(
    fixture: &StoreFixture,
    call: &str,
    entries: usize,
    act: impl AsyncFn(&BatchStore),
) {
    let raw = fixture.raw().await;
    let (before, backends) = (rows_read(fixture).await, raw.backends().await);
    let store = fixture.replica().await;
    act(&store).await;
    store.close().await;
    while raw.backends().await > backends {
        tokio::task::yield_now().await;
    }
    let rows = rows_read(fixture).await - before;
    let of_entries = ROWS_PER_ENTRY * i64::try_from(entries).expect("a number");
    let most = of_entries + OTHER_ROWS;
    assert!(rows <= most, "{call} of {entries} read {rows} rows");
}

/// Rows that were read by index so far, as far as connections have told.
async fn rows_read(fixture: &StoreFixture) -> i64 {
    let raw = fixture.raw().await;
    raw.number(
        "SELECT CAST(sum(idx_tup_fetch) AS bigint) FROM pg_stat_user_tables
         WHERE relname IN ('mailbox', 'message', 'msgbox')",
    )
    .await
}
