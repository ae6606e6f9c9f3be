//! What a token must say, and how it must be signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::AppId;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{ask, refusal};
use crate::auth::testing::*;
use crate::auth::{Caller, Refused};
use crate::caller::Scope;

#[tokio::test]
async fn tokens_of_all_three_algorithms_say_who_calls() {
    let keys = [Key::ed25519("e"), Key::p256("p"), Key::rsa("r")];
    let all: Vec<_> = keys.iter().collect();
    let authenticator = trusting(&all, ManualClock::new()).await;
    for key in &keys {
        let caller = ask(&authenticator, &key.sign(&user_claims())).await;
        let Ok(Caller::User(user)) = caller else {
            panic!("{:?}: {caller:?}", key.algorithm);
        };
        assert_eq!(user.app().as_str(), "chess");
        assert_eq!(user.profile().as_str(), "alice");
        assert_eq!(user.sender().name, "Alice");
        assert_eq!(user.sender().pic, "https://pics.test/alice");
    }
}

#[tokio::test]
async fn a_privileged_token_has_the_scopes_that_it_names() {
    let key = Key::ed25519("e");
    let authenticator = trusting(&[&key], ManualClock::new()).await;
    let claims = with(sys_claims("sys.read sys.bulk"), "sub", json!("hook"));
    let caller = ask(&authenticator, &key.sign(&claims)).await;
    let Ok(Caller::System(system)) = caller else {
        panic!("{caller:?}");
    };
    assert!(system.has(Scope::Read) && system.has(Scope::Bulk) && !system.has(Scope::Write));
    assert_eq!(
        system.subject().map(ToString::to_string),
        Some("hook".to_owned())
    );
}

#[tokio::test]
async fn a_users_token_without_a_profile_speaks_for_nobody() {
    let key = Key::ed25519("e");
    let authenticator = trusting(&[&key], ManualClock::new()).await;
    let token = key.sign(&with(user_claims(), "sub", Value::Null));
    let app = AppId::parse("chess").expect("an app");
    assert_eq!(
        ask(&authenticator, &token).await.ok(),
        Some(Caller::Nobody(app))
    );
}

#[tokio::test]
async fn claims_that_no_token_may_have_are_refused() {
    let key = Key::ed25519("e");
    let authenticator = trusting(&[&key], ManualClock::new()).await;
    let cases = [
        ("iss", json!(null), Refused::Malformed),
        ("iss", json!([ISS]), Refused::Malformed),
        ("iss", json!("https://other.test"), Refused::Issuer),
        ("aud", json!(null), Refused::Malformed),
        ("aud", json!("other"), Refused::Audience),
        ("aud", json!([]), Refused::Audience),
        (
            "aud",
            json!(["postroom", "postroom-sys"]),
            Refused::Audience,
        ),
        ("exp", json!(null), Refused::Malformed),
        ("exp", json!("1900000000"), Refused::Malformed),
        ("nbf", json!("soon"), Refused::Malformed),
        ("nbf", json!(NOW + 31), Refused::NotYet),
        ("app", json!(null), Refused::Malformed),
        ("app", json!(""), Refused::App),
        ("app", json!("a b"), Refused::App),
        ("sub", json!(""), Refused::Profile),
        ("sub", json!("a/b"), Refused::Profile),
        ("sub", json!("x".repeat(129)), Refused::Profile),
        ("sub", json!(7), Refused::Malformed),
        ("name", json!("x".repeat(129)), Refused::Sender),
        ("name", json!("a\0b"), Refused::Sender),
        ("pic", json!("x".repeat(513)), Refused::Sender),
    ];
    for (name, value, refused) in cases {
        let token = key.sign(&with(user_claims(), name, value.clone()));
        assert_eq!(
            refusal(&authenticator, &token).await,
            refused,
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn claims_at_their_limits_are_taken() {
    let key = Key::ed25519("e");
    let authenticator = trusting(&[&key], ManualClock::new()).await;
    let cases = [
        ("aud", json!(["other", "postroom"])),
        ("exp", json!(1_800_000_000.5)),
        ("nbf", json!(NOW + 30)),
        ("sub", json!("x".repeat(128))),
        ("name", json!("x".repeat(128))),
        ("name", Value::Null),
        ("pic", json!("x".repeat(512))),
        ("scope", json!("sys.admin")),
    ];
    for (name, value) in cases {
        let token = key.sign(&with(user_claims(), name, value.clone()));
        let caller = ask(&authenticator, &token).await;
        assert!(
            matches!(caller, Ok(Caller::User(_))),
            "{name}: {value}: {caller:?}"
        );
    }
}

#[tokio::test]
async fn headers_that_bring_a_key_or_an_extension_are_refused() {
    let key = Key::ed25519("e");
    let authenticator = trusting(&[&key], ManualClock::new()).await;
    let own = serde_json::from_value(key.jwk()).expect("a key");
    let url = Some("https://evil.test".to_owned());
    let headers = [
        Header {
            jku: url.clone(),
            ..key.header()
        },
        Header {
            x5u: url,
            ..key.header()
        },
        Header {
            x5c: Some(vec![String::new()]),
            ..key.header()
        },
        Header {
            jwk: Some(own),
            ..key.header()
        },
        Header {
            crit: Some(vec!["b64".to_owned()]),
            ..key.header()
        },
    ];
    for header in headers {
        let token = key.sign_with(&header, &user_claims());
        assert_eq!(
            refusal(&authenticator, &token).await,
            Refused::Header,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn algorithms_that_anyone_could_sign_with_are_refused() {
    let key = Key::rsa("r");
    let authenticator = trusting(&[&key], ManualClock::new()).await;

    // The public key as a shared secret.
    let header = Header {
        alg: Algorithm::HS256,
        ..key.header()
    };
    let secret = EncodingKey::from_secret(key.jwk().to_string().as_bytes());
    let token = jsonwebtoken::encode(&header, &user_claims(), &secret).expect("a token");
    assert_eq!(refusal(&authenticator, &token).await, Refused::Algorithm);

    let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "kid": "r" }).to_string());
    let payload = URL_SAFE_NO_PAD.encode(user_claims().to_string());
    let token = format!("{none}.{payload}.");
    assert_eq!(refusal(&authenticator, &token).await, Refused::Malformed);

    // A good algorithm that is not on the list.
    let header = Header {
        alg: Algorithm::PS256,
        ..key.header()
    };
    let token = key.sign_with(&header, &user_claims());
    assert_eq!(refusal(&authenticator, &token).await, Refused::Algorithm);
}

#[tokio::test]
async fn only_the_key_that_is_named_verifies() {
    let [key, other] = [Key::ed25519("e"), Key::p256("p")];
    let authenticator = trusting(&[&key, &other], ManualClock::new()).await;
    let stranger = Key::ed25519("e");
    let token = stranger.sign(&user_claims());
    assert_eq!(refusal(&authenticator, &token).await, Refused::Signature);

    // The type of the named key does not fit the algorithm.
    let confused = Header {
        kid: Some("p".to_owned()),
        ..key.header()
    };
    let token = key.sign_with(&confused, &user_claims());
    assert_eq!(refusal(&authenticator, &token).await, Refused::Key);

    let nameless = Header {
        kid: None,
        ..key.header()
    };
    let token = key.sign_with(&nameless, &user_claims());
    assert_eq!(refusal(&authenticator, &token).await, Refused::Key);

    let token = key.sign(&user_claims());
    let (signed, _) = token.rsplit_once('.').expect("a token");
    for altered in [
        format!("{signed}."),
        format!("{signed}.AAAA"),
        format!("{signed}.="),
    ] {
        assert_eq!(refusal(&authenticator, &altered).await, Refused::Signature);
    }
    for text in [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        &format!("{token}.x"),
        &format!("x.{token}"),
    ] {
        assert_ne!(
            refusal(&authenticator, text).await,
            Refused::Signature,
            "{text}"
        );
    }
}
