use std::time::Duration;

use domain::limits::{APP_ERASURE_DELAY_MS, ERASURE_DELAY_MS};
use proto::sys::v1::{EraseAppRequest, GetAppSettingsRequest};
use proto::v1;
use support::issuer::{APP, TestIssuer};
use support::on_each_database;
use support::service::TestService;
use tokio::time::sleep;

use crate::api::builders::{ok, reason_of, refused, send};

fn erasure(cancel: bool) -> EraseAppRequest {
    EraseAppRequest {
        app_id: APP.to_owned(),
        cancel,
        request_id: String::new(),
    }
}

async fn an_erased_app_is_refused_and_begins_anew(test: &TestService) {
    send(test, "alice", &["bob"]).await;
    let scheduled = ok(test.sys().erase_app(erasure(false))).await;
    assert!(scheduled.erase_time.is_some());
    send(test, "alice", &["bob"]).await;
    test.store.clock.advance(APP_ERASURE_DELAY_MS);
    let (store, replica) = test.replica().await;
    let counts = || v1::GetMessageCountsRequest {};
    let alice = |now_s| TestIssuer::shared().user(APP, "alice", now_s);
    let mut user = replica.user(&alice(test.now_s()));
    let status = refused(user.get_message_counts(counts())).await;
    assert_eq!(reason_of(&status), "APP_ERASED");
    let admin = TestIssuer::shared().sys(APP, "sys.admin", test.now_s());
    let mut app = replica.sys(&admin);
    let status = refused(app.get_app_settings(GetAppSettingsRequest {})).await;
    assert_eq!(reason_of(&status), "APP_ERASED");

    test.store.clock.advance(ERASURE_DELAY_MS);
    while test.store.store.run_jobs().await.expect("a step") {}
    let (later_store, later) = test.replica().await;
    let mut user = later.user(&alice(test.now_s()));
    let boxes = ok(user.get_message_counts(counts())).await.boxes;
    assert!(boxes.iter().all(|it| it.total == 0));
    // This replica reads the app again within seconds.
    let mut user = test.listeners.user(&alice(test.now_s()));
    while user.get_message_counts(counts()).await.is_err() {
        sleep(Duration::from_millis(100)).await;
    }
    for store in [store, later_store] {
        store.close().await;
    }
}

async fn an_erasure_can_be_withdrawn(test: &TestService) {
    ok(test.sys().erase_app(erasure(false))).await;
    let withdrawn = ok(test.sys().erase_app(erasure(true))).await;
    assert_eq!(withdrawn.erase_time, None);
    let message_id = send(test, "alice", &["bob"]).await;
    test.store
        .clock
        .advance(APP_ERASURE_DELAY_MS + ERASURE_DELAY_MS);
    while test.store.store.run_jobs().await.expect("a step") {}
    assert!(!message_id.is_empty());
    let (store, replica) = test.replica().await;
    let token = TestIssuer::shared().user(APP, "bob", test.now_s());
    let mut bob = replica.user(&token);
    let boxes = ok(bob.get_message_counts(v1::GetMessageCountsRequest {})).await;
    assert_eq!(boxes.boxes[0].total, 1);
    store.close().await;
}

async fn an_erasure_names_its_app(test: &TestService) {
    let other = EraseAppRequest {
        app_id: "other".to_owned(),
        ..erasure(false)
    };
    let status = refused(test.sys().erase_app(other)).await;
    assert_eq!(reason_of(&status), "INVALID_REQUEST");
}

on_each_database![
    an_erased_app_is_refused_and_begins_anew,
    an_erasure_can_be_withdrawn,
    an_erasure_names_its_app,
];
