//! Apps and kinds of an issuer, and the expiry of tokens.

use domain::AppId;
use jiff::SignedDuration;
use jsonwebtoken::Header;
use serde_json::json;

use super::{authenticate, rejection};
use crate::testing::*;
use crate::{AllowedApps, Authenticator, CallerKind, Error, Issuer, Jwks, StartError, TokenError};

#[tokio::test]
async fn a_token_for_an_app_or_kind_of_another_issuer_is_rejected() {
    let key = SigningKey::ed25519("e");
    let chess = AppId::parse("chess").expect("an app");
    let narrow = Issuer {
        apps: Some(AllowedApps::Listed(vec![chess])),
        kinds: vec![CallerKind::User],
        ..issuer(Jwks::Inline(jwks([&key])))
    };
    let authenticator = Authenticator::start(vec![narrow], TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    assert!(
        authenticate(&authenticator, &key.sign(&user_claims()))
            .await
            .is_ok()
    );
    let foreign = key.sign(&with(user_claims(), "app", json!("go")));
    assert_eq!(
        rejection(&authenticator, &foreign).await,
        TokenError::ForeignApp
    );
    let system = key.sign(&sys_claims("sys.read"));
    assert_eq!(rejection(&authenticator, &system).await, TokenError::Kind);
}

#[tokio::test]
async fn a_key_of_one_issuer_does_not_verify_tokens_of_another() {
    let [ours, theirs] = [SigningKey::ed25519("e"), SigningKey::ed25519("f")];
    let other = Issuer {
        iss: "https://other.test".to_owned(),
        ..issuer(Jwks::Inline(jwks([&theirs])))
    };
    let issuers = vec![issuer(Jwks::Inline(jwks([&ours]))), other];
    let authenticator = Authenticator::start(issuers, TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    let token = theirs.sign(&user_claims());
    assert_eq!(rejection(&authenticator, &token).await, TokenError::Key);
}

#[tokio::test]
async fn all_invalid_tokens_get_the_same_message_but_for_expired_ones() {
    let key = SigningKey::ed25519("e");
    let clock = TestClock::new();
    let authenticator = trusting(&[&key], clock.clone()).await;
    let message = async |token: &str| {
        let error = authenticate(&authenticator, token).await;
        error.expect_err("a rejection").to_string()
    };
    let invalid = [
        "a.b.c".to_owned(),
        SigningKey::ed25519("e").sign(&user_claims()),
        SigningKey::ed25519("x").sign(&user_claims()),
        key.sign(&with(user_claims(), "aud", json!("other"))),
        // Expired and invalid is invalid.
        key.sign(&with(
            with(user_claims(), "exp", json!(1)),
            "app",
            json!("a b"),
        )),
        SigningKey::ed25519("e").sign(&with(user_claims(), "exp", json!(1))),
    ];
    let first = message(&invalid[0]).await;
    for token in &invalid {
        assert_eq!(message(token).await, first);
    }
    let expired = key.sign(&with(user_claims(), "exp", json!(1)));
    assert_ne!(message(&expired).await, first);
}

#[tokio::test]
async fn a_token_expires_after_the_leeway_even_if_cached() {
    let key = SigningKey::ed25519("e");
    let clock = TestClock::new();
    let authenticator = trusting(&[&key], clock.clone()).await;
    let token = key.sign(&with(user_claims(), "exp", json!(NOW + 10)));
    assert!(authenticate(&authenticator, &token).await.is_ok());
    clock.advance(39);
    assert!(authenticate(&authenticator, &token).await.is_ok());
    clock.advance(1);
    let expired = authenticate(&authenticator, &token).await;
    assert_eq!(expired, Err(Error::Expired));
}

#[tokio::test]
async fn a_life_beyond_that_of_the_issuers_tokens_is_rejected() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let day = 24 * 3600;
    for (issued, expires, is_valid) in [
        (json!(NOW), json!(NOW + day), true),
        (json!(NOW - 100), json!(NOW + day), false),
        (json!(NOW + 100), json!(NOW + day + 30), true),
        (json!(NOW + 100), json!(NOW + day + 31), false),
        (json!(null), json!(NOW + day + 30), true),
        (json!("now"), json!(NOW + day + 31), false),
        // In milliseconds.
        (json!(NOW), json!((NOW + 3600) * 1000), false),
        (json!(NOW * 1000), json!((NOW + 3600) * 1000), false),
        (json!(NOW), json!(1e300), false),
    ] {
        let claims = with(user_claims(), "iat", issued.clone());
        let token = key.sign(&with(claims, "exp", expires.clone()));
        let caller = authenticate(&authenticator, &token).await.map(|_| ());
        let error = Err(TokenError::LongLived.into());
        let expected = if is_valid { Ok(()) } else { error };
        assert_eq!(caller, expected, "{issued} {expires}");
    }
    let patient = Issuer {
        max_token_life: SignedDuration::from_hours(48),
        ..issuer(Jwks::Inline(jwks([&key])))
    };
    let patient = Authenticator::start(vec![patient], TestClock::new()).await;
    let token = key.sign(&with(user_claims(), "exp", json!(NOW + 2 * day)));
    let caller = authenticate(&patient.expect("an authenticator"), &token).await;
    assert!(caller.is_ok(), "{caller:?}");
}

#[tokio::test]
async fn an_issuer_can_require_a_type_of_token() {
    let key = SigningKey::ed25519("e");
    let strict = Issuer {
        token_type: Some("at+jwt".to_owned()),
        ..issuer(Jwks::Inline(jwks([&key])))
    };
    let strict = Authenticator::start(vec![strict], TestClock::new()).await;
    let strict = strict.expect("an authenticator");
    for (name, is_valid) in [
        (Some("at+jwt"), true),
        (Some("AT+JWT"), true),
        (Some("application/at+jwt"), true),
        (Some("JWT"), false),
        (None, false),
    ] {
        let header = Header {
            typ: name.map(str::to_owned),
            ..key.header()
        };
        let token = key.sign_with(&header, &user_claims());
        let caller = authenticate(&strict, &token).await.map(|_| ());
        let error = Err(TokenError::Type.into());
        assert_eq!(caller, if is_valid { Ok(()) } else { error }, "{name:?}");
    }
}

#[tokio::test]
async fn an_explanation_names_the_settings_that_a_token_misses() {
    let key = SigningKey::ed25519("e");
    let chess = AppId::parse("chess").expect("an app");
    let narrow = Issuer {
        apps: Some(AllowedApps::Listed(vec![chess])),
        kinds: vec![CallerKind::User],
        require: [("ver".to_owned(), "2.0".to_owned())].into(),
        ..issuer(Jwks::Inline(jwks([&key])))
    };
    let authenticator = Authenticator::start(vec![narrow], TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    let claims = with(user_claims(), "ver", json!("2.0"));
    let stranger = SigningKey::ed25519("f");
    let long = json!(NOW + 100 * 3600);
    for (token, told) in [
        (
            key.sign(&with(claims.clone(), "iss", json!("x"))),
            Some(ISS),
        ),
        (
            key.sign(&with(claims.clone(), "aud", json!("x"))),
            Some("\"postroom\""),
        ),
        (stranger.sign(&claims), Some("\"e\"")),
        (SigningKey::ed25519("e").sign(&claims), None),
        (
            key.sign(&with(claims.clone(), "app", json!("go"))),
            Some("chess"),
        ),
        (
            key.sign(&with(claims.clone(), "app", json!(7))),
            Some("[\"app\"]"),
        ),
        (
            key.sign(&with(claims.clone(), "sub", json!(7))),
            Some("[\"sub\"]"),
        ),
        (key.sign(&with(claims.clone(), "exp", long)), Some("24h")),
        (key.sign(&user_claims()), Some("(\"ver\", \"2.0\")")),
        (
            key.sign(&with(sys_claims(""), "ver", json!("2.0"))),
            Some("User"),
        ),
    ] {
        let error = rejection(&authenticator, &token).await;
        let explanation = authenticator.explain(&token, error);
        let is_told = match (&explanation, told) {
            (Some(text), Some(part)) => text.contains(part),
            (None, None) => true,
            _ => false,
        };
        assert!(is_told, "{error:?}: {explanation:?}");
    }
}

#[tokio::test]
async fn a_duplicate_issuer_or_one_without_keys_is_an_error() {
    let key = SigningKey::ed25519("e");
    let duplicates = vec![issuer(Jwks::Inline(jwks([&key]))); 2];
    let error = Authenticator::start(duplicates, TestClock::new())
        .await
        .err();
    assert!(matches!(error, Some(StartError::DuplicateIssuer(iss)) if iss == ISS));
    for jwks in [
        Jwks::Inline("{}".to_owned()),
        Jwks::Inline("no JSON".to_owned()),
        Jwks::File("/nowhere/jwks.json".into()),
    ] {
        let error = Authenticator::start(vec![issuer(jwks)], TestClock::new())
            .await
            .err();
        assert!(matches!(error, Some(StartError::Keys { .. })));
    }
}
