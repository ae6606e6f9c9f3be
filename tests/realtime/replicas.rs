//! Streams of one replica, and writes of another.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use storage::Store;
use storage_sql::Notify;
use support::issuer::{APP, TestIssuer};
use support::on_each_database;
use support::service::TestService;
use support::store::DatabaseKind;

use super::subscriber::StreamSubscriber;
use crate::api::builders::send;

/// Poll interval that no test reaches.
const NEVER: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_millis(20);

/// A subscriber on a second replica with these notifications and this poll interval.
async fn elsewhere(
    test: &TestService,
    notify: Notify,
    poll_every: Duration,
) -> (Arc<dyn Store>, StreamSubscriber) {
    let (store, replica) = test.replica_that_hears(notify, poll_every).await;
    let token = TestIssuer::shared().user(APP, "bob", test.now_s());
    let mut bob = StreamSubscriber::of(replica.user(&token), "").await;
    bob.backlog().await;
    (store, bob)
}

async fn arrives(test: &TestService, bob: &mut StreamSubscriber) {
    for _ in 0..3 {
        let id = send(test, "alice", &["bob"]).await;
        assert_eq!(bob.changes(1).await, [("new", id)]);
    }
}

async fn polling_alone_finds_writes_of_another_replica(test: &TestService) {
    let (store, mut bob) = elsewhere(test, Notify::Off, SOON).await;
    arrives(test, &mut bob).await;
    store.close().await;
}

/// Poll interval of a replica with notifications: never on `PostgreSQL`; `SQLite` has no
/// notifications.
fn seldom(test: &TestService) -> Duration {
    match test.store.backend() {
        DatabaseKind::Sqlite => SOON,
        DatabaseKind::Postgres => NEVER,
    }
}

async fn notifications_alone_report_writes_of_another_replica(test: &TestService) {
    let (store, mut bob) = elsewhere(test, Notify::Database, seldom(test)).await;
    arrives(test, &mut bob).await;
    store.close().await;
}

async fn a_replica_polls_when_its_notifications_resume(test: &TestService) {
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

/// Terminates all LISTEN connections.
async fn deafen(test: &TestService) {
    if test.store.backend() == DatabaseKind::Sqlite {
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
    polling_alone_finds_writes_of_another_replica,
    notifications_alone_report_writes_of_another_replica,
    a_replica_polls_when_its_notifications_resume,
];
