//! Unauthenticated and forbidden callers.

use domain::limits::APP_ERASURE_DELAY_MS;
use proto::sys::v1 as sys;
use proto::v1;
use serde_json::json;
use support::issuer::{APP, TestIssuer, sys_claims, user_claims};
use support::on_each_database;
use support::service::TestService;
use tonic::Status;

use super::golden::compare;
use crate::api::builders::{ok, refused};

async fn as_user(test: &TestService, token: &str) -> Status {
    let mut user = test.listeners.user(token);
    refused(user.get_message_counts(v1::GetMessageCountsRequest {})).await
}

async fn as_app(test: &TestService, token: &str) -> Status {
    let mut app = test.listeners.sys(token);
    refused(app.get_app_settings(sys::GetAppSettingsRequest {})).await
}

/// Call of a user of an app that is being erased.
async fn of_erased_app(test: &TestService) -> Status {
    let erasure = sys::EraseAppRequest {
        app_id: "gone".to_owned(),
        ..Default::default()
    };
    ok(test.sys_of("gone", "sys.admin").erase_app(erasure)).await;
    test.store.clock.advance(APP_ERASURE_DELAY_MS);
    // One that begins now reads the app before the first call.
    let (store, replica) = test.replica().await;
    let token = TestIssuer::shared().user("gone", "alice", test.now_s());
    let mut user = replica.user(&token);
    let status = refused(user.get_message_counts(v1::GetMessageCountsRequest {})).await;
    store.close().await;
    status
}

async fn unauthenticated_and_forbidden_calls_have_golden_errors(test: &TestService) {
    let (issuer, now_s) = (TestIssuer::shared(), test.now_s());
    let user = user_claims(APP, "alice", now_s);
    let with = |name: &str, value| {
        let mut claims = user.clone();
        claims[name] = value;
        issuer.sign(&claims)
    };
    let nameless = {
        let mut claims = user.clone();
        claims.as_object_mut().expect("claims").remove("sub");
        issuer.sign(&claims)
    };
    let expired = sys_claims(APP, "sys.admin", now_s - 3632);
    let revoked = user_claims(APP, "dora", now_s - 10);
    let revocation = sys::RevokeTokensRequest {
        profile_id: "dora".to_owned(),
        ..Default::default()
    };
    ok(test.sys().revoke_tokens(revocation)).await;
    let mut cases = vec![
        ("no token", as_user(test, "").await),
        ("no token on Sys", as_app(test, "").await),
        ("a token that is none", as_user(test, "secret").await),
        (
            "a token of a stranger",
            as_user(test, &TestIssuer::stranger().sign(&user)).await,
        ),
        (
            "a token for somebody else",
            as_user(test, &with("aud", json!("another"))).await,
        ),
        (
            "a token of no app",
            as_user(test, &with("app", json!("a b"))).await,
        ),
        (
            "a token of yesterday",
            as_user(test, &with("exp", json!(now_s - 31))).await,
        ),
        (
            "a token of yesterday on Sys",
            as_app(test, &issuer.sign(&expired)).await,
        ),
        (
            "a revoked token",
            as_user(test, &issuer.sign(&revoked)).await,
        ),
        (
            "a user's token without a profile",
            as_user(test, &nameless).await,
        ),
        (
            "the app's token on Messaging",
            as_user(test, &issuer.sys(APP, "sys.read", now_s)).await,
        ),
        (
            "a user's token on Sys",
            as_app(test, &issuer.sign(&user)).await,
        ),
        (
            "a token without the scope",
            as_app(test, &issuer.sys(APP, "sys.read", now_s)).await,
        ),
    ];
    cases.push(("a call of an erased app", of_erased_app(test).await));
    compare("callers", &cases);
}

on_each_database![unauthenticated_and_forbidden_calls_have_golden_errors];
