//! Claims, headers and signatures of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::AppId;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{authenticate, rejection};
use crate::testing::*;
use crate::{Identity, Scope, TokenError};

#[tokio::test]
async fn tokens_of_all_algorithms_are_verified() {
    let keys = [
        SigningKey::ed25519("e"),
        SigningKey::p256("p"),
        SigningKey::rsa("r"),
    ];
    let all: Vec<_> = keys.iter().collect();
    let authenticator = trusting(&all, TestClock::new()).await;
    for key in &keys {
        let caller = authenticate(&authenticator, &key.sign(&user_claims())).await;
        let Ok(Identity::User(user)) = caller else {
            panic!("{:?}: {caller:?}", key.algorithm);
        };
        assert_eq!(user.app.as_str(), "chess");
        assert_eq!(user.profile.as_str(), "alice");
        assert_eq!(&*user.name, "Alice");
        assert_eq!(&*user.pic, "https://pics.test/alice");
    }
}

#[tokio::test]
async fn a_privileged_token_has_its_named_scopes() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let claims = with(sys_claims("sys.read sys.bulk"), "sub", json!("hook"));
    let caller = authenticate(&authenticator, &key.sign(&claims)).await;
    let Ok(Identity::System(system)) = caller else {
        panic!("{caller:?}");
    };
    let scopes = system.scopes;
    assert!(scopes.contains(Scope::Read) && scopes.contains(Scope::Bulk));
    assert!(!scopes.contains(Scope::Write));
    let subject = system.subject.map(|subject| subject.to_string());
    assert_eq!(subject.as_deref(), Some("hook"));
}

#[tokio::test]
async fn a_user_token_without_a_subject_has_no_profile() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let token = key.sign(&with(user_claims(), "sub", Value::Null));
    let app = AppId::parse("chess").expect("an app");
    assert_eq!(
        authenticate(&authenticator, &token).await.ok(),
        Some(Identity::NoProfile(app))
    );
}

#[tokio::test]
async fn malformed_claims_are_rejected() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let cases = [
        ("iss", json!(null), TokenError::Malformed),
        ("iss", json!([ISS]), TokenError::Malformed),
        ("iss", json!("https://other.test"), TokenError::Issuer),
        ("aud", json!(null), TokenError::Audience),
        ("aud", json!(7), TokenError::Audience),
        ("aud", json!("other"), TokenError::Audience),
        ("aud", json!([]), TokenError::Audience),
        (
            "aud",
            json!(["postroom", "postroom-sys"]),
            TokenError::Audience,
        ),
        ("exp", json!(null), TokenError::Malformed),
        ("exp", json!("1900000000"), TokenError::Malformed),
        ("nbf", json!("soon"), TokenError::Malformed),
        ("nbf", json!(NOW + 31), TokenError::NotYet),
        ("app", json!(null), TokenError::App),
        ("app", json!(7), TokenError::App),
        ("app", json!(""), TokenError::App),
        ("app", json!("a b"), TokenError::App),
        ("sub", json!(""), TokenError::Profile),
        ("sub", json!("a\nb"), TokenError::Profile),
        ("sub", json!("a\u{202e}b"), TokenError::Profile),
        ("sub", json!("x".repeat(257)), TokenError::Profile),
        ("sub", json!(7), TokenError::Profile),
    ];
    for (name, value, error) in cases {
        let token = key.sign(&with(user_claims(), name, value.clone()));
        assert_eq!(
            rejection(&authenticator, &token).await,
            error,
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn claims_at_their_limits_are_accepted() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let cases = [
        ("aud", json!(["other", "postroom"])),
        ("exp", json!(1_800_000_000.5)),
        ("nbf", json!(NOW + 30)),
        ("sub", json!("x".repeat(256))),
    ];
    for (name, value) in cases {
        let token = key.sign(&with(user_claims(), name, value.clone()));
        let caller = authenticate(&authenticator, &token).await;
        assert!(
            matches!(caller, Ok(Identity::User(_))),
            "{name}: {value}: {caller:?}"
        );
    }
}

#[tokio::test]
async fn optional_claims_refuse_no_user() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let thai = "ก".repeat(44);
    let signed_url = format!("https://pics.test/{}", "x".repeat(1_100));
    let (own, other) = ("https://pics.test/alice", "https://pics.test/other");
    let cases = [
        ("name", json!("x".repeat(129)), "x".repeat(128), own),
        ("name", json!(thai), "ก".repeat(42), own),
        ("name", json!("a\0b"), String::new(), own),
        ("name", json!(["Alice"]), String::new(), own),
        ("name", Value::Null, String::new(), own),
        ("pic", json!(signed_url), "Alice".to_owned(), other),
        ("pic", json!({ "url": own }), "Alice".to_owned(), other),
        ("pic", Value::Null, "Alice".to_owned(), other),
        (
            "pic",
            json!("http://pics.test/alice"),
            "Alice".to_owned(),
            other,
        ),
        ("picture", json!(7), "Alice".to_owned(), own),
        ("scope", json!({ "sys.admin": 1 }), "Alice".to_owned(), own),
    ];
    for (claim, value, name, pic) in cases {
        let claims = with(user_claims(), "picture", json!(other));
        let token = key.sign(&with(claims, claim, value.clone()));
        let caller = authenticate(&authenticator, &token).await;
        let Ok(Identity::User(user)) = caller else {
            panic!("{claim}: {value}: {caller:?}");
        };
        assert_eq!((&*user.name, &*user.pic), (&*name, pic), "{claim}: {value}");
    }
}

#[tokio::test]
async fn the_subject_of_a_privileged_token_is_opaque() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
    let long = "é".repeat(200);
    let cases = [
        (
            json!("spiffe://example.org/ns/prod"),
            Some("spiffe://example.org/ns/prod"),
        ),
        (json!("a\nb"), Some("a\nb")),
        (json!(long), Some(&long[..256])),
        (json!(7), None),
    ];
    for (subject, recorded) in cases {
        let claims = with(sys_claims("sys.read"), "sub", subject.clone());
        let claims = with(claims, "name", json!(7));
        let caller = authenticate(&authenticator, &key.sign(&claims)).await;
        let Ok(Identity::System(system)) = caller else {
            panic!("{subject}: {caller:?}");
        };
        assert_eq!(system.subject.as_deref(), recorded, "{subject}");
    }
}

#[tokio::test]
async fn headers_with_a_key_or_an_extension_are_rejected() {
    let key = SigningKey::ed25519("e");
    let authenticator = trusting(&[&key], TestClock::new()).await;
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
            rejection(&authenticator, &token).await,
            TokenError::Header,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn symmetric_and_unlisted_algorithms_are_rejected() {
    let key = SigningKey::rsa("r");
    let authenticator = trusting(&[&key], TestClock::new()).await;

    // The public key as a shared secret.
    let header = Header {
        alg: Algorithm::HS256,
        ..key.header()
    };
    let secret = EncodingKey::from_secret(key.jwk().to_string().as_bytes()).expect("a secret");
    let token = jsonwebtoken::encode(&header, &user_claims(), &secret).expect("a token");
    assert_eq!(
        rejection(&authenticator, &token).await,
        TokenError::Algorithm
    );

    let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "kid": "r" }).to_string());
    let payload = URL_SAFE_NO_PAD.encode(user_claims().to_string());
    let token = format!("{none}.{payload}.");
    assert_eq!(
        rejection(&authenticator, &token).await,
        TokenError::Malformed
    );

    // A good algorithm that is not on the list.
    let header = Header {
        alg: Algorithm::PS256,
        ..key.header()
    };
    let token = key.sign_with(&header, &user_claims());
    assert_eq!(
        rejection(&authenticator, &token).await,
        TokenError::Algorithm
    );
}

#[tokio::test]
async fn only_the_named_key_verifies() {
    let [key, other] = [SigningKey::ed25519("e"), SigningKey::p256("p")];
    let authenticator = trusting(&[&key, &other], TestClock::new()).await;
    let stranger = SigningKey::ed25519("e");
    let token = stranger.sign(&user_claims());
    assert_eq!(
        rejection(&authenticator, &token).await,
        TokenError::Signature
    );

    // The type of the named key does not fit the algorithm.
    let confused = Header {
        kid: Some("p".to_owned()),
        ..key.header()
    };
    let token = key.sign_with(&confused, &user_claims());
    assert_eq!(rejection(&authenticator, &token).await, TokenError::Key);

    let nameless = Header {
        kid: None,
        ..key.header()
    };
    let token = key.sign_with(&nameless, &user_claims());
    assert!(authenticate(&authenticator, &token).await.is_ok());
    let token = stranger.sign_with(&nameless, &user_claims());
    assert_eq!(
        rejection(&authenticator, &token).await,
        TokenError::Signature
    );
    let next = SigningKey::ed25519("f");
    let ambiguous = trusting(&[&key, &next], TestClock::new()).await;
    let token = key.sign_with(&nameless, &user_claims());
    assert_eq!(rejection(&ambiguous, &token).await, TokenError::Key);

    let token = key.sign(&user_claims());
    let (signed, _) = token.rsplit_once('.').expect("a token");
    for altered in [
        format!("{signed}."),
        format!("{signed}.AAAA"),
        format!("{signed}.="),
    ] {
        assert_eq!(
            rejection(&authenticator, &altered).await,
            TokenError::Signature
        );
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
            rejection(&authenticator, text).await,
            TokenError::Signature,
            "{text}"
        );
    }
}
