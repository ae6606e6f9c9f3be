//! Streams of one replica, and writes of another.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use storage::MailStore;
use storage_sql::Notify;
use support::issuer::{APP, Issuer};
use support::on_each_database;
use support::service::TestService;
use support::store::Backend;

use super::follower::Follower;
use crate::api::words::send;

/// Longer than any test takes.
const NEVER: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_millis(20);

/// A device that follows a second replica, which hears so of what the first one writes.
async fn elsewhere(
    test: &TestService,
    notify: Notify,
    poll_every: Duration,
) -> (Arc<dyn MailStore>, Follower) {
    let (store, replica) = test.replica_that_hears(notify, poll_every).await;
    let token = Issuer::shared().user(APP, "bob", test.now_s());
    let mut bob = Follower::of(replica.user(&token), "").await;
    bob.backlog().await;
    (store, bob)
}

async fn arrives(test: &TestService, bob: &mut Follower) {
    for _ in 0..3 {
        let id = send(test, "alice", &["bob"]).await;
        assert_eq!(bob.changes(1).await, [("new", id)]);
    }
}

async fn what_another_replica_writes_is_found_by_polling_alone(test: &TestService) {
    let (store, mut bob) = elsewhere(test, Notify::Off, SOON).await;
    arrives(test, &mut bob).await;
    store.close().await;
}

/// How often a replica polls that is told: not at all, where the database can tell it.
fn seldom(test: &TestService) -> Duration {
    match test.store.backend() {
        Backend::Sqlite => SOON,
        Backend::Postgres => NEVER,
    }
}

async fn what_another_replica_writes_is_told_without_polling(test: &TestService) {
    let (store, mut bob) = elsewhere(test, Notify::Database, seldom(test)).await;
    arrives(test, &mut bob).await;
    store.close().await;
}

async fn a_replica_that_did_not_hear_looks_when_it_hears_again(test: &TestService) {
    let (store, mut bob) = elsewhere(test, Notify::Database, seldom(test)).await;
    arrives(test, &mut bob).await;
    for _ in 0..3 {
        deafen(test).await;
        let id = send(test, "alice", &["bob"]).await;
        assert_eq!(bob.changes(1).await, [("new", id)]);
    }
    arrives(test, &mut bob).await;
    store.close().await;
}

/// Cuts the connections of all who listen.
async fn deafen(test: &TestService) {
    if test.store.backend() == Backend::Sqlite {
        return;
    }
    let mut connection = PgConnection::connect(&test.store.options.url)
        .await
        .expect("a connection");
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .execute(&mut connection)
    .await
    .expect("it cuts");
}

on_each_database![
    what_another_replica_writes_is_found_by_polling_alone,
    what_another_replica_writes_is_told_without_polling,
    a_replica_that_did_not_hear_looks_when_it_hears_again,
];
