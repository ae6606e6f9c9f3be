//! Streams of one replica, and writes of another.

use support::issuer::{APP, Issuer};
use support::on_each_database;
use support::service::TestService;

use super::follower::Follower;
use crate::api::words::send;

async fn what_another_replica_writes_arrives(test: &TestService) {
    let (store, elsewhere) = test.replica().await;
    let token = Issuer::shared().user(APP, "bob", test.now_s());
    let mut here = Follower::of(test.user("bob"), "").await;
    let mut there = Follower::of(elsewhere.user(&token), "").await;
    here.backlog().await;
    there.backlog().await;
    for _ in 0..3 {
        let id = send(test, "alice", &["bob"]).await;
        assert_eq!(here.changes(1).await, [("new", id.clone())]);
        assert_eq!(there.changes(1).await, [("new", id)]);
    }
    drop(there);
    store.close().await;
}

on_each_database![what_another_replica_writes_arrives];
