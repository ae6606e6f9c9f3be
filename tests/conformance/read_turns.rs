//! Turns of reads at the connections of a store.

use std::time::Duration;

use domain::AppId;
use domain::page::{Criteria, Scan};
use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use storage::{Error, MailboxPage, Requester};
use storage_sql::{Options, Timeouts};
use support::store::TIMEOUTS;
use support::{on_each_database, on_postgres};
use tokio::time::timeout;

use super::builders::{app, operation, other_app, profile, send};
use super::fixture::{BatchStore, RawDatabase, StoreFixture};
use super::page_offsets::everything;

on_each_database![
    waiting_reads_of_one_user_leave_connections_to_others,
    waiting_reads_of_the_app_itself_leave_connections_to_its_users,
    waiting_reads_of_one_app_leave_connections_to_another_app,
    a_read_beyond_the_limit_of_its_user_is_refused_after_a_wait,
    reads_of_one_user_share_a_single_connection_with_others,
];

mod slow_statements {
    use super::*;

    on_postgres![
        slow_reads_of_one_user_delay_no_other_user,
        abandoned_reads_keep_their_connections_until_they_end,
    ];
}

/// Reads of one user, more than there are connections.
const MANY: usize = 20;

type PageRead = BoxFuture<'static, Result<MailboxPage, Error>>;

fn there() -> AppId {
    other_app("there")
}

/// A page with a count by the recipient, which is read in a snapshot of its own.
fn counting() -> Scan {
    Scan {
        criteria: Criteria {
            to: Some(profile("nobody")),
            ..Criteria::default()
        },
        count: true,
        ..everything()
    }
}

fn read(store: &BatchStore, app: AppId, owner: &str, requester: Requester) -> PageRead {
    let (store, owner) = (store.clone(), profile(owner));
    async move { store.page(&app, &owner, requester, &counting()).await }.boxed()
}

/// Reads that have begun, or wait, and get no further.
fn begun(reads: impl Iterator<Item = PageRead>) -> Vec<PageRead> {
    let begin = |mut read: PageRead| {
        assert!((&mut read).now_or_never().is_none());
        read
    };
    reads.map(begin).collect()
}

async fn assert_served(read: PageRead) {
    let page = read.await;
    assert!(page.is_ok(), "{page:?}");
}

/// A store with that many connections for reads, and mailboxes in two apps.
async fn opened(fixture: &StoreFixture, read_connections: u32) -> BatchStore {
    let options = Options {
        read_connections,
        ..fixture.test.options.clone()
    };
    let store = fixture.store_of(&options).await;
    for app in [app(), there()] {
        let sent = store.run(&app, operation(send("ann", &["bob"])));
        sent.await.expect("a message");
    }
    store
}

async fn waiting_reads_of_one_user_leave_connections_to_others(fixture: &StoreFixture) {
    let store = opened(fixture, 8).await;
    let ann = |_| read(&store, app(), "ann", Requester::Owner);
    let held = begun((0..MANY).map(ann));
    assert_served(read(&store, app(), "bob", Requester::Owner)).await;
    assert_served(read(&store, app(), "ann", Requester::App)).await;
    assert_served(read(&store, there(), "ann", Requester::Owner)).await;
    store.statuses(&[]).await.expect("statuses");
    drop(held);
    assert_served(ann(0)).await;
    store.close().await;
}

async fn waiting_reads_of_the_app_itself_leave_connections_to_its_users(fixture: &StoreFixture) {
    let store = opened(fixture, 8).await;
    let held = begun((0..MANY).map(|_| read(&store, app(), "ann", Requester::App)));
    assert_served(read(&store, app(), "ann", Requester::Owner)).await;
    drop(held);
    store.close().await;
}

async fn waiting_reads_of_one_app_leave_connections_to_another_app(fixture: &StoreFixture) {
    let store = opened(fixture, 8).await;
    let users = (0..MANY).map(|number| format!("user{number}"));
    let held = begun(users.map(|user| read(&store, app(), &user, Requester::Owner)));
    assert_served(read(&store, there(), "bob", Requester::Owner)).await;
    assert_served(read(&store, there(), "bob", Requester::App)).await;
    store.statuses(&[]).await.expect("statuses");
    drop(held);
    assert_served(read(&store, app(), "bob", Requester::Owner)).await;
    store.close().await;
}

async fn a_read_beyond_the_limit_of_its_user_is_refused_after_a_wait(fixture: &StoreFixture) {
    let options = Options {
        timeouts: Some(Timeouts {
            acquire: Duration::from_millis(100),
            ..TIMEOUTS
        }),
        ..fixture.test.options.clone()
    };
    let store = fixture.store_of(&options).await;
    fixture.send("ann", &["bob"]).await;
    let ann = |_| read(&store, app(), "ann", Requester::Owner);
    let held = begun((0..1).map(ann));
    let refused = ann(1).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    drop(held);
    store.close().await;
}

async fn reads_of_one_user_share_a_single_connection_with_others(fixture: &StoreFixture) {
    let store = opened(fixture, 1).await;
    let ann = (0..MANY).map(|_| read(&store, app(), "ann", Requester::Owner));
    let others = [
        read(&store, app(), "bob", Requester::Owner),
        read(&store, there(), "ann", Requester::App),
    ];
    for page in join_all(ann.chain(others)).await {
        assert!(page.is_ok(), "{page:?}");
    }
    store.close().await;
}

/// Makes each search of recipients on new connections take that long; `SQLite` has no functions.
async fn slow_down(raw: &RawDatabase, pause: Duration) {
    raw.run(&format!(
        "CREATE SCHEMA slow;
         CREATE FUNCTION slow.strpos(text, text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
             PERFORM pg_sleep({});
             RETURN 0;
         END $$;
         DO $$ BEGIN EXECUTE format(
             'ALTER DATABASE %I SET search_path = slow, pg_catalog, public', current_database()
         ); END $$",
        pause.as_secs_f64()
    ))
    .await;
}

async fn active_reads(raw: &RawDatabase) -> i64 {
    raw.number(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = 'postroom' AND state = 'active' AND wait_event = 'PgSleep'",
    )
    .await
}

async fn slow_reads_of_one_user_delay_no_other_user(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    slow_down(raw, Duration::from_millis(50)).await;
    let store = opened(fixture, 8).await;
    let ann = (0..MANY).map(|_| tokio::spawn(read(&store, app(), "ann", Requester::Owner)));
    let ann: Vec<_> = ann.collect();
    while active_reads(raw).await < 1 {
        tokio::task::yield_now().await;
    }
    assert_served(read(&store, app(), "bob", Requester::Owner)).await;
    assert_served(read(&store, there(), "bob", Requester::Owner)).await;
    assert!(active_reads(raw).await <= 1);
    let waiting = ann.iter().filter(|read| !read.is_finished()).count();
    assert!(waiting > 2, "{waiting}");
    for read in join_all(ann).await {
        let page = read.expect("no panic");
        assert!(page.is_ok(), "{page:?}");
    }
    store.close().await;
}

async fn abandoned_reads_keep_their_connections_until_they_end(fixture: &StoreFixture) {
    const CONNECTIONS: u32 = 4;
    let raw = fixture.raw().await;
    slow_down(raw, Duration::from_millis(300)).await;
    let store = opened(fixture, CONNECTIONS).await;
    let mut most = 0;
    for number in 0..MANY {
        let app = if number % 2 == 0 { app() } else { there() };
        let owner = if number % 4 < 2 { "ann" } else { "bob" };
        let read = read(&store, app, owner, Requester::Owner);
        assert!(timeout(Duration::from_millis(30), read).await.is_err());
        most = most.max(active_reads(raw).await);
    }
    assert!((1..=i64::from(CONNECTIONS)).contains(&most), "{most}");
    assert_served(read(&store, app(), "ann", Requester::Owner)).await;
    store.close().await;
}
