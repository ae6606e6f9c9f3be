//! Epochs: a database restored from a backup under running stores, which reuses numbers that they
//! have cached.

use std::time::Duration;

use domain::page::Scan;
use storage::{Error, Requester, Store};
use storage_sql::Options;
use support::on_each_database;
use support::store::{DatabaseKind, TestDatabase, TestStore, run};
use tokio::time::sleep;
use uuid::Uuid;

use super::builders::{app, operation, other_app, profile, send};
use super::fixture::{StoreFixture, in_time};
use super::page_offsets::everything;

on_each_database![
    a_write_never_reaches_an_app_that_reuses_the_number,
    a_new_epoch_clears_all_caches,
];

#[test]
fn an_epoch_survives_an_identity_with_fewer_parts() {
    run(DatabaseKind::Postgres, an_epoch_survives_a_shorter_identity);
}

#[test]
fn a_new_connection_looks_up_the_app_number_again() {
    run(
        DatabaseKind::Postgres,
        a_new_connection_reads_its_app_under_the_current_number,
    );
}

/// A dump that is restored beside its database, or in its place, has the same epoch in it.
#[tokio::test]
async fn a_copy_of_a_database_starts_a_new_epoch() {
    let test = TestStore::open(DatabaseKind::Postgres.into()).await;
    let epoch = epoch_of(&*test.store).await;
    test.store.close().await;
    let again = test.replica().await;
    assert_eq!(epoch_of(&*again).await, epoch);
    again.close().await;

    let TestDatabase::Postgres(database) = test.database() else {
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

async fn epoch_of(store: &dyn Store) -> Uuid {
    let counted = store.counts(&app(), &profile("bob"), Requester::App).await;
    counted.expect("counts").offset.epoch
}

/// A program that knew less of the identity wrote down less of it.
async fn an_epoch_survives_a_shorter_identity(fixture: &StoreFixture) {
    let before = epoch_of(&*fixture.store).await;
    let raw = fixture.raw().await;
    raw.run("UPDATE server SET identity = regexp_replace(identity, '/[0-9]+$', '')")
        .await;
    let written = "SELECT count(*) FROM server WHERE identity LIKE '%/%/%'";
    assert_eq!(raw.number(written).await, 0);
    fixture.store.statuses(&[]).await.expect("heads");
    assert_eq!(raw.number(written).await, 1);
    assert_eq!(epoch_of(&*fixture.store).await, before);
}

/// Gives the number of the app to another app, as a restore from an older backup does.
async fn give_the_number_to_another_app(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    raw.run("UPDATE app SET app_id = 'there' WHERE app_id = 'app'")
        .await;
}

async fn a_write_never_reaches_an_app_that_reuses_the_number(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    give_the_number_to_another_app(fixture).await;
    let late = operation(send("ann", &["bob"]));
    let refused = fixture.store.execute(&app(), late, in_time()).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert_eq!(
        fixture.counts_in(&other_app("there"), "bob").await,
        (1, 1, 0)
    );
    // The store looks up the app again, and creates it.
    for _ in 0..2 {
        fixture.send("ann", &["bob"]).await;
    }
    assert_eq!(
        fixture.counts_in(&other_app("there"), "bob").await,
        (1, 1, 0)
    );
    assert_eq!(fixture.counts("bob").await, (2, 2, 0));
}

/// The contents of what bob holds.
async fn contents(fixture: &StoreFixture, scan: &Scan) -> Vec<Vec<u8>> {
    let items = fixture.page("bob", scan).await.found.items;
    let contents = items
        .iter()
        .map(|(_, item)| item.message.content.encoded.to_vec());
    contents.collect()
}

async fn a_new_epoch_clears_all_caches(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let all = everything();
    fixture.send("ann", &["bob"]).await;
    assert_eq!(contents(fixture, &all).await, [b"hello"]);
    let restored = match fixture.test.backend() {
        DatabaseKind::Sqlite => "UPDATE message SET content = CAST('other' AS BLOB)",
        DatabaseKind::Postgres => "UPDATE message SET content = 'other'",
    };
    fixture.raw().await.run(restored).await;
    replica.new_epoch().await.expect("a new epoch");
    fixture.store.statuses(&[]).await.expect("heads");
    assert_eq!(contents(fixture, &all).await, [b"other"]);

    give_the_number_to_another_app(fixture).await;
    replica.new_epoch().await.expect("a new epoch");
    fixture.store.statuses(&[]).await.expect("heads");
    assert!(contents(fixture, &all).await.is_empty());
    replica.close().await;
}

/// For `PostgreSQL` only: a restore ends all connections.
async fn a_new_connection_reads_its_app_under_the_current_number(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    give_the_number_to_another_app(fixture).await;
    fixture.raw().await.end_connections().await;
    let bob = profile("bob");
    let counted = loop {
        let reader = Requester::App;
        match fixture.store.counts(&app(), &bob, reader).await {
            Err(Error::Unavailable(_)) => {}
            counted => break counted.expect("counts").counts,
        }
    };
    assert_eq!(counted.inbox_total, 0);
    // After this time, pooled connections are checked before use.
    sleep(Duration::from_millis(300)).await;
}
