//! A database that begins another life under those who use it: restored from a backup, it
//! gives the numbers that they remember to others.

use std::time::Duration;

use domain::page::Scan;
use storage::{Error, MailStore, Reader};
use storage_sql::Options;
use support::on_each_database;
use support::store::{Backend, Place, TestStore, run};
use tokio::time::sleep;
use uuid::Uuid;

use super::bench::{Bench, in_time};
use super::turning::everything;
use super::words::{app, operation, other_app, profile, send};

on_each_database![
    a_write_never_goes_to_the_app_that_has_taken_the_number_of_its_own,
    in_another_life_nothing_is_remembered,
];

#[test]
fn an_epoch_outlives_a_program_that_wrote_down_less_of_the_identity() {
    run(
        Backend::Postgres,
        an_epoch_outlives_the_program_that_began_it,
    );
}

#[test]
fn a_new_connection_reads_what_is_there_under_the_number_that_is_there() {
    run(Backend::Postgres, a_new_connection_reads_its_own_app);
}

/// A dump that is restored beside its database, or in its place, has the same epoch in it.
#[tokio::test]
async fn a_copy_of_a_database_on_the_same_server_begins_a_new_epoch() {
    let test = TestStore::open(Backend::Postgres.into()).await;
    let epoch = epoch_of(&*test.store).await;
    test.store.close().await;
    let again = test.replica().await;
    assert_eq!(epoch_of(&*again).await, epoch);
    again.close().await;

    let Place::Postgres(database) = test.place() else {
        unreachable!("it was asked for")
    };
    let copy = database.copy().await;
    let options = Options {
        url: copy.url.clone(),
        ..test.options.clone()
    };
    let store = storage_sql::open(&options).await.expect("the copy");
    assert_ne!(epoch_of(&*store).await, epoch);
    store.close().await;
    copy.remove().await;
    test.close().await;
}

async fn epoch_of(store: &dyn MailStore) -> Uuid {
    let counted = store.counts(&app(), &profile("bob"), Reader::App).await;
    counted.expect("counts").position.epoch
}

/// A program that knew less of the identity wrote down less of it.
async fn an_epoch_outlives_the_program_that_began_it(bench: &Bench) {
    let before = epoch_of(&*bench.store).await;
    let raw = bench.raw().await;
    raw.run("UPDATE server SET identity = regexp_replace(identity, '/[0-9]+$', '')")
        .await;
    let written = "SELECT count(*) FROM server WHERE identity LIKE '%/%/%'";
    assert_eq!(raw.number(written).await, 0);
    bench.store.heads(&[]).await.expect("heads");
    assert_eq!(raw.number(written).await, 1);
    assert_eq!(epoch_of(&*bench.store).await, before);
}

/// What a backup of before the first call leads to: another app has the number.
async fn give_the_number_to_another_app(bench: &Bench) {
    let raw = bench.raw().await;
    raw.run("UPDATE app SET app_id = 'there' WHERE app_id = 'app'")
        .await;
}

async fn a_write_never_goes_to_the_app_that_has_taken_the_number_of_its_own(bench: &Bench) {
    bench.send("ann", &["bob"]).await;
    give_the_number_to_another_app(bench).await;
    let late = operation(send("ann", &["bob"]));
    let refused = bench.store.execute(&app(), late, in_time()).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert_eq!(bench.counts_in(&other_app("there"), "bob").await, (1, 1, 0));
    // It looks again, and begins anew.
    for _ in 0..2 {
        bench.send("ann", &["bob"]).await;
    }
    assert_eq!(bench.counts_in(&other_app("there"), "bob").await, (1, 1, 0));
    assert_eq!(bench.counts("bob").await, (2, 2, 0));
}

/// The contents of what bob holds.
async fn contents(bench: &Bench, scan: &Scan) -> Vec<Vec<u8>> {
    let items = bench.page("bob", scan).await.found.items;
    let contents = items
        .iter()
        .map(|(_, item)| item.message.content.encoded.to_vec());
    contents.collect()
}

async fn in_another_life_nothing_is_remembered(bench: &Bench) {
    let replica = bench.replica().await;
    let all = everything();
    bench.send("ann", &["bob"]).await;
    assert_eq!(contents(bench, &all).await, [b"hello"]);
    let restored = match bench.test.backend() {
        Backend::Sqlite => "UPDATE message SET content = CAST('other' AS BLOB)",
        Backend::Postgres => "UPDATE message SET content = 'other'",
    };
    bench.raw().await.run(restored).await;
    replica.new_epoch().await.expect("a new epoch");
    bench.store.heads(&[]).await.expect("heads");
    assert_eq!(contents(bench, &all).await, [b"other"]);

    give_the_number_to_another_app(bench).await;
    replica.new_epoch().await.expect("a new epoch");
    bench.store.heads(&[]).await.expect("heads");
    assert!(contents(bench, &all).await.is_empty());
    replica.close().await;
}

/// Only a server can be restored under those who use it, and only by ending their
/// connections.
async fn a_new_connection_reads_its_own_app(bench: &Bench) {
    bench.send("ann", &["bob"]).await;
    assert_eq!(bench.counts("bob").await, (1, 1, 0));
    give_the_number_to_another_app(bench).await;
    bench.raw().await.end_connections().await;
    let bob = profile("bob");
    let counted = loop {
        let reader = Reader::App;
        match bench.store.counts(&app(), &bob, reader).await {
            Err(Error::Unavailable(_)) => {}
            counted => break counted.expect("counts").counts,
        }
    };
    assert_eq!(counted.inbox_total, 0);
    // After that long none of the other ended connections is taken for well.
    sleep(Duration::from_millis(300)).await;
}
