//! Streams of a database that begins another life.

use std::time::Duration;

use domain::{AppId, ProfileId};
use storage::Reader;
use storage_sql::Notify;
use support::issuer::{APP, Issuer};
use support::on_each_database;
use support::service::TestService;
use tokio::time::{sleep, timeout};

use super::follower::Follower;
use crate::api::words::send;
use crate::conformance::bench::{IN_TIME, Raw};

const SOON: Duration = Duration::from_millis(20);

async fn a_stream_whose_mailbox_has_another_number_sends_its_reader_away(test: &TestService) {
    let (store, replica) = test.replica_that_hears(Notify::Off, SOON).await;
    let token = Issuer::shared().user(APP, "bob", test.now_s());
    let mut bob = Follower::of(replica.user(&token), "").await;
    bob.backlog().await;
    // The backup was made before the mailbox began.
    let raw = Raw::open(test.store.backend(), &test.store.options.url).await;
    raw.run("DELETE FROM mailbox WHERE profile_id = 'bob'")
        .await;
    test.store.store.new_epoch().await.expect("a new epoch");
    let (rest, error) = bob.rest().await;
    assert_eq!(rest.last().map(|last| last.0), Some("reconnect"));
    assert!(error.is_none());

    let mut bob = Follower::of(replica.user(&token), &bob.cursor).await;
    let backlog = bob.backlog().await;
    assert_eq!(backlog[0].0, "resync", "{backlog:?}");
    let id = send(test, "alice", &["bob"]).await;
    assert_eq!(bob.changes(1).await, [("new", id)]);
    store.close().await;
}

async fn a_replica_on_which_nobody_follows_anything_notices_another_life(test: &TestService) {
    let (app, bob) = (AppId::parse(APP), ProfileId::parse("bob"));
    let (app, bob) = (app.expect("an app"), bob.expect("a profile"));
    let (store, _replica) = test.replica_that_hears(Notify::Off, SOON).await;
    let epoch = async || {
        let counted = store.counts(&app, &bob, Reader::Owner).await;
        counted.expect("counts").position.epoch
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
    a_stream_whose_mailbox_has_another_number_sends_its_reader_away,
    a_replica_on_which_nobody_follows_anything_notices_another_life,
];
