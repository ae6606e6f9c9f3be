//! Streams over a restored database.

use std::time::Duration;

use domain::{AppId, ProfileId};
use storage::Requester;
use storage_sql::Notify;
use support::issuer::{APP, TestIssuer};
use support::on_each_database;
use support::service::TestService;
use tokio::time::{sleep, timeout};

use super::subscriber::StreamSubscriber;
use crate::api::builders::send;
use crate::conformance::fixture::{IN_TIME, RawDatabase};

const SOON: Duration = Duration::from_millis(20);

async fn a_stream_of_a_mailbox_with_a_new_id_asks_to_reconnect(test: &TestService) {
    let (store, replica) = test.replica_that_hears(Notify::Off, SOON).await;
    let token = TestIssuer::shared().user(APP, "bob", test.now_s());
    let mut bob = StreamSubscriber::of(replica.user(&token), "").await;
    bob.backlog().await;
    // The backup is older than the mailbox.
    let raw = RawDatabase::open(test.store.backend(), &test.store.options.url).await;
    raw.run("DELETE FROM mailbox WHERE profile_id = 'bob'")
        .await;
    test.store.store.new_epoch().await.expect("a new epoch");
    let (rest, error) = bob.rest().await;
    assert_eq!(rest.last().map(|last| last.0), Some("reconnect"));
    assert!(error.is_none());

    let mut bob = StreamSubscriber::of(replica.user(&token), &bob.cursor).await;
    let backlog = bob.backlog().await;
    assert_eq!(backlog[0].0, "resync", "{backlog:?}");
    let id = send(test, "alice", &["bob"]).await;
    assert_eq!(bob.changes(1).await, [("new", id)]);
    store.close().await;
}

async fn a_replica_without_streams_notices_a_new_epoch(test: &TestService) {
    let (app, bob) = (AppId::parse(APP), ProfileId::parse("bob"));
    let (app, bob) = (app.expect("an app"), bob.expect("a profile"));
    let (store, _replica) = test.replica_that_hears(Notify::Off, SOON).await;
    let epoch = async || {
        let counted = store.counts(&app, &bob, Requester::Owner).await;
        counted.expect("counts").offset.epoch
    };
    let before = epoch().await;
    test.store.store.new_epoch().await.expect("a new epoch");
    let noticed = async {
        while epoch().await == before {
            sleep(SOON).await;
        }
    };
    timeout(IN_TIME, noticed).await.expect("it notices");
    store.close().await;
}

on_each_database![
    a_stream_of_a_mailbox_with_a_new_id_asks_to_reconnect,
    a_replica_without_streams_notices_a_new_epoch,
];
