//! For whom an issuer speaks, and for how long.

use domain::AppId;
use serde_json::json;
use tonic::Status;

use super::{ask, refusal};
use crate::auth::testing::*;
use crate::auth::{Apps, Authenticator, Issuer, Jwks, Kind, Refused, StartError};
use crate::error::RpcError;

#[tokio::test]
async fn an_issuer_speaks_only_for_its_apps_and_kinds() {
    let key = Key::ed25519("e");
    let chess = AppId::parse("chess").expect("an app");
    let narrow = Issuer {
        apps: Apps::Listed(vec![chess]),
        kinds: vec![Kind::User],
        ..issuer(Jwks::Inline(jwks([&key])))
    };
    let authenticator = Authenticator::start(vec![narrow], ManualClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    assert!(ask(&authenticator, &key.sign(&user_claims())).await.is_ok());
    let foreign = key.sign(&with(user_claims(), "app", json!("go")));
    assert_eq!(refusal(&authenticator, &foreign).await, Refused::ForeignApp);
    let system = key.sign(&sys_claims("sys.read"));
    assert_eq!(refusal(&authenticator, &system).await, Refused::Kind);
}

#[tokio::test]
async fn an_issuers_key_does_not_sign_for_another() {
    let [ours, theirs] = [Key::ed25519("e"), Key::ed25519("f")];
    let other = Issuer {
        iss: "https://other.test".to_owned(),
        ..issuer(Jwks::Inline(jwks([&theirs])))
    };
    let issuers = vec![issuer(Jwks::Inline(jwks([&ours]))), other];
    let authenticator = Authenticator::start(issuers, ManualClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    let token = theirs.sign(&user_claims());
    assert_eq!(refusal(&authenticator, &token).await, Refused::Key);
}

#[tokio::test]
async fn all_bad_tokens_get_one_answer_and_only_expiry_has_its_own() {
    let key = Key::ed25519("e");
    let clock = ManualClock::new();
    let authenticator = trusting(&[&key], clock.clone()).await;
    let answer = async |token: &str| {
        let error = ask(&authenticator, token).await.expect_err("refused");
        let status = Status::from(error);
        (
            status.code(),
            status.message().to_owned(),
            status.details().to_vec(),
        )
    };
    let bad = [
        "a.b.c".to_owned(),
        Key::ed25519("e").sign(&user_claims()),
        Key::ed25519("x").sign(&user_claims()),
        key.sign(&with(user_claims(), "aud", json!("other"))),
        // Expired and wrong is wrong.
        key.sign(&with(
            with(user_claims(), "exp", json!(1)),
            "app",
            json!("a b"),
        )),
        Key::ed25519("e").sign(&with(user_claims(), "exp", json!(1))),
    ];
    let first = answer(&bad[0]).await;
    for token in &bad {
        assert_eq!(answer(token).await, first);
    }
    let expired = key.sign(&with(user_claims(), "exp", json!(1)));
    assert_ne!(answer(&expired).await, first);
}

#[tokio::test]
async fn a_token_expires_half_a_minute_late_also_if_it_is_known() {
    let key = Key::ed25519("e");
    let clock = ManualClock::new();
    let authenticator = trusting(&[&key], clock.clone()).await;
    let token = key.sign(&with(user_claims(), "exp", json!(NOW + 10)));
    assert!(ask(&authenticator, &token).await.is_ok());
    clock.pass(39);
    assert!(ask(&authenticator, &token).await.is_ok());
    clock.pass(1);
    let expired = ask(&authenticator, &token).await;
    assert!(
        matches!(expired, Err(RpcError::CredentialsExpired)),
        "{expired:?}"
    );
}

#[tokio::test]
async fn an_issuer_that_is_there_twice_or_has_no_keys_is_an_error() {
    let key = Key::ed25519("e");
    let twice = vec![issuer(Jwks::Inline(jwks([&key]))); 2];
    let error = Authenticator::start(twice, ManualClock::new()).await.err();
    assert!(matches!(error, Some(StartError::Twice(iss)) if iss == ISS));
    for jwks in [
        Jwks::Inline("{}".to_owned()),
        Jwks::Inline("no JSON".to_owned()),
        Jwks::File("/nowhere/jwks.json".into()),
    ] {
        let error = Authenticator::start(vec![issuer(jwks)], ManualClock::new())
            .await
            .err();
        assert!(matches!(error, Some(StartError::Keys { .. })));
    }
}
