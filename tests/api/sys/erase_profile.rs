use domain::limits::{ERASURE_DELAY_MS, ERASURE_MEMORY_MS};
use proto::sys::v1::{
    EraseProfileRequest, GetErasureRequest, GetErasureResponse, GetMessagesRequest,
};
use proto::v1;
use support::issuer::{APP, TestIssuer};
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{ok, reason_of, refused, send};

fn erasure(profile_id: &str) -> EraseProfileRequest {
    EraseProfileRequest {
        profile_id: profile_id.to_owned(),
        request_id: String::new(),
    }
}

async fn state(test: &TestService, profile_id: &str) -> GetErasureResponse {
    let profile_id = profile_id.to_owned();
    ok(test.sys().get_erasure(GetErasureRequest { profile_id })).await
}

async fn run_jobs(test: &TestService) {
    while test.store.store.run_jobs().await.expect("a step") {}
}

async fn an_erased_user_is_gone_from_all_replicas(test: &TestService) {
    let (store, replica) = test.replica().await;
    let message_id = send(test, "eve", &["alice"]).await;
    let token = TestIssuer::shared().user(APP, "alice", test.now_s());
    let mut alice = replica.user(&token);
    let get = || v1::GetMessagesRequest {
        msgbox: "inbox".to_owned(),
        message_ids: vec![message_id.clone()],
        ..Default::default()
    };
    assert_eq!(ok(alice.get_messages(get())).await.items.len(), 1);

    let mut eve = test.user("eve");
    test.store.clock.advance(1_000);
    let erased = ok(test.sys().erase_profile(erasure("eve"))).await;
    let counts = v1::GetMessageCountsRequest {};
    let status = refused(eve.get_message_counts(counts)).await;
    assert_eq!(reason_of(&status), "CREDENTIALS_REVOKED");
    let requested = state(test, "eve").await;
    assert_eq!(requested.request_time, erased.request_time);
    assert_eq!(requested.done_time, None);

    test.store.clock.advance(ERASURE_DELAY_MS);
    run_jobs(test).await;
    let status = refused(alice.get_messages(get())).await;
    assert_eq!(reason_of(&status), "MESSAGE_NOT_FOUND");
    let message_ids = vec![message_id];
    let view = 0;
    let found = GetMessagesRequest { message_ids, view };
    let status = refused(test.sys().get_messages(found)).await;
    assert_eq!(reason_of(&status), "MESSAGE_NOT_FOUND");
    test.store.clock.advance(ERASURE_MEMORY_MS);
    run_jobs(test).await;
    assert!(state(test, "eve").await.done_time.is_some());
    store.close().await;
}

async fn an_erasure_that_was_not_requested_is_not_found(test: &TestService) {
    for (profile_id, reason) in [("eve", "ERASURE_NOT_FOUND"), ("", "INVALID_REQUEST")] {
        let profile_id = profile_id.to_owned();
        let status = refused(test.sys().get_erasure(GetErasureRequest { profile_id })).await;
        assert_eq!(reason_of(&status), reason);
    }
    let status = refused(test.sys().erase_profile(erasure(""))).await;
    assert_eq!(reason_of(&status), "INVALID_REQUEST");
}

on_each_database![
    an_erased_user_is_gone_from_all_replicas,
    an_erasure_that_was_not_requested_is_not_found,
];
