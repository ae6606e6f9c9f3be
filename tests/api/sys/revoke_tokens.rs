use prost_types::Timestamp;
use proto::sys::v1::RevokeTokensRequest;
use proto::v1;
use serde_json::json;
use support::issuer::{APP, TestIssuer, user_claims};
use support::on_each_database;
use support::service::{InProcessUser, TestService};
use tokio::time::sleep;
use tonic::Status;

use crate::api::builders::{ok, reason_of, refused};

/// A user with a token that was issued some seconds from now.
fn user_since(test: &TestService, app: &str, profile: &str, since_s: i64) -> InProcessUser {
    let mut claims = user_claims(app, profile, test.now_s());
    claims["iat"] = json!(test.now_s() + since_s);
    test.listeners.user(&TestIssuer::shared().sign(&claims))
}

async fn counts(user: &mut InProcessUser) -> Result<(), Status> {
    let counts = user.get_message_counts(v1::GetMessageCountsRequest {});
    counts.await.map(drop)
}

fn revocation(profile_id: &str, before_s: Option<i64>) -> RevokeTokensRequest {
    RevokeTokensRequest {
        profile_id: profile_id.to_owned(),
        before: before_s.map(|seconds| Timestamp { seconds, nanos: 0 }),
        request_id: String::new(),
    }
}

async fn assert_revoked(user: &mut InProcessUser) {
    let status = counts(user).await.expect_err("a refusal");
    assert_eq!(reason_of(&status), "CREDENTIALS_REVOKED");
}

async fn tokens_issued_before_a_revocation_are_refused(test: &TestService) {
    let mut old = user_since(test, APP, "alice", -10);
    let mut undated = {
        let mut claims = user_claims(APP, "alice", test.now_s());
        claims.as_object_mut().expect("claims").remove("iat");
        test.listeners.user(&TestIssuer::shared().sign(&claims))
    };
    for user in [&mut old, &mut undated] {
        counts(user).await.expect("an answer");
    }
    ok(test.sys().revoke_tokens(revocation("alice", None))).await;
    for user in [&mut old, &mut undated] {
        assert_revoked(user).await;
    }
    let others = [
        user_since(test, APP, "alice", 1),
        user_since(test, APP, "bob", -10),
        user_since(test, "other", "alice", -10),
    ];
    for mut other in others {
        counts(&mut other).await.expect("an answer");
    }
}

async fn a_revocation_of_an_earlier_time_leaves_a_later_one_in_force(test: &TestService) {
    let now_s = test.now_s();
    let mut alice = user_since(test, APP, "alice", -10);
    let earlier = ok(test
        .sys()
        .revoke_tokens(revocation("alice", Some(now_s - 20))))
    .await;
    assert_eq!(earlier.before.map(|it| it.seconds), Some(now_s - 20));
    counts(&mut alice).await.expect("an answer");
    ok(test.sys().revoke_tokens(revocation("alice", None))).await;
    assert_revoked(&mut alice).await;
    ok(test
        .sys()
        .revoke_tokens(revocation("alice", Some(now_s - 20))))
    .await;
    assert_revoked(&mut alice).await;
}

async fn no_revocation_is_of_the_future(test: &TestService) {
    let request = revocation("alice", Some(test.now_s() + 1000));
    let revoked = ok(test.sys().revoke_tokens(request)).await;
    let before = revoked.before.expect("a time").seconds;
    assert!(before <= test.now_s() + 1, "{before}");
}

async fn a_revocation_is_in_force_on_all_replicas(test: &TestService) {
    let (store, replica) = test.replica().await;
    let token = |profile| TestIssuer::shared().user(APP, profile, test.now_s() - 10);
    let (mut alice, mut bob) = (replica.user(&token("alice")), replica.user(&token("bob")));
    counts(&mut alice).await.expect("an answer");
    ok(test.sys().revoke_tokens(revocation("alice", None))).await;
    let pause = rpc::limits::QUOTAS_REREAD / 10;
    // The replica rereads the app after at most as much, with a read that calls do not wait for.
    let mut refusal = None;
    for _ in 0..100 {
        if let Err(status) = counts(&mut alice).await {
            refusal = Some(reason_of(&status));
            break;
        }
        sleep(pause).await;
    }
    assert_eq!(refusal.as_deref(), Some("CREDENTIALS_REVOKED"));
    counts(&mut bob).await.expect("an answer");
    // One that begins later knows it before the first call.
    let (other_store, later) = test.replica().await;
    assert_revoked(&mut later.user(&token("alice"))).await;
    other_store.close().await;
    store.close().await;
}

async fn the_profile_of_a_revocation_is_checked(test: &TestService) {
    let status = refused(test.sys().revoke_tokens(revocation("", None))).await;
    assert_eq!(reason_of(&status), "INVALID_REQUEST");
}

on_each_database![
    tokens_issued_before_a_revocation_are_refused,
    a_revocation_of_an_earlier_time_leaves_a_later_one_in_force,
    no_revocation_is_of_the_future,
    a_revocation_is_in_force_on_all_replicas,
    the_profile_of_a_revocation_is_checked,
];
