use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::AppId;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::advance;
use tonic::Status;

use super::testing::*;
use super::*;
use crate::limits::{KEYS_BYTES_MAX, KEYS_REFRESH, KEYS_REFRESH_UNKNOWN, KEYS_STALE_MAX};

async fn ask(authenticator: &Authenticator, token: &str) -> Result<Caller, RpcError> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    headers.insert(AUTHORIZATION, value);
    authenticator.caller(&headers).await
}

async fn refusal(authenticator: &Authenticator, token: &str) -> Refused {
    match ask(authenticator, token).await {
        Err(RpcError::CredentialsInvalid(refused)) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

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
    use crate::caller::Scope;
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

#[tokio::test]
async fn keys_for_other_uses_verify_nothing() {
    let key = Key::rsa("r");
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("RS512")),
        ("alg", json!("unheard-of")),
        ("key_ops", json!(["sign"])),
        ("kid", Value::Null),
    ] {
        let jwks = json!({ "keys": [with(key.jwk(), name, value.clone())] }).to_string();
        let issuers = vec![issuer(Jwks::Inline(jwks))];
        let authenticator = Authenticator::start(issuers, ManualClock::new()).await;
        let authenticator = authenticator.expect("an authenticator");
        let token = key.sign(&user_claims());
        assert_eq!(
            refusal(&authenticator, &token).await,
            Refused::Key,
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn keys_of_unknown_kinds_do_not_spoil_the_others() {
    let key = Key::ed25519("e");
    let odd = [
        json!(7),
        json!({ "kty": "XYZ", "kid": "x" }),
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "k", "x": "AA", "y": "AA" }),
        json!({ "kty": "oct", "kid": "o", "k": "c2VjcmV0" }),
        with(key.jwk(), "use", json!(5)),
    ];
    let keys: Vec<_> = odd.into_iter().chain([key.jwk()]).collect();
    let jwks = Jwks::Inline(json!({ "keys": keys }).to_string());
    let authenticator = Authenticator::start(vec![issuer(jwks)], ManualClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    assert!(ask(&authenticator, &key.sign(&user_claims())).await.is_ok());
}

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

/// A file of keys that goes with its test.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(keys: &[&Key]) -> Self {
        let name = format!("postroom-jwks-{}.json", uuid::Uuid::now_v7());
        let file = Self(std::env::temp_dir().join(name));
        file.write(keys);
        file
    }

    fn write(&self, keys: &[&Key]) {
        std::fs::write(&self.0, jwks(keys.iter().copied())).expect("a file");
    }

    async fn trusted(&self) -> Arc<Authenticator> {
        let issuers = vec![issuer(Jwks::File(self.0.clone()))];
        let authenticator = Authenticator::start(issuers, ManualClock::new()).await;
        authenticator.expect("an authenticator")
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_looked_for_but_not_at_every_call() {
    let [first, second, third] = ["1", "2", "3"].map(Key::ed25519);
    let file = KeyFile::new(&[&first]);
    let authenticator = file.trusted().await;

    file.write(&[&first, &second]);
    assert!(
        ask(&authenticator, &second.sign(&user_claims()))
            .await
            .is_ok()
    );

    file.write(&[&first, &second, &third]);
    let token = third.sign(&user_claims());
    assert_eq!(refusal(&authenticator, &token).await, Refused::Key);
    advance(KEYS_REFRESH_UNKNOWN).await;
    assert!(ask(&authenticator, &token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_withdrawn_is_not_trusted_any_more() {
    let [old, new] = ["old", "new"].map(Key::ed25519);
    let file = KeyFile::new(&[&old]);
    let authenticator = file.trusted().await;
    let known = old.sign(&user_claims());
    assert!(ask(&authenticator, &known).await.is_ok());

    file.write(&[&new]);
    assert!(ask(&authenticator, &known).await.is_ok(), "not known yet");
    let keys = authenticator.trusted[ISS].keys.clone();
    let before = keys.current().expect("keys").version();
    advance(KEYS_REFRESH).await;
    while keys.current().expect("keys").version() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(refusal(&authenticator, &known).await, Refused::Key);
    assert!(ask(&authenticator, &new.sign(&user_claims())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_read_again_are_good_for_a_day() {
    let key = Key::ed25519("e");
    let file = KeyFile::new(&[&key]);
    let authenticator = file.trusted().await;
    drop(file);
    let token = key.sign(&user_claims());
    advance(KEYS_STALE_MAX - Duration::from_secs(1)).await;
    assert!(ask(&authenticator, &token).await.is_ok());
    advance(Duration::from_secs(1)).await;
    assert_eq!(refusal(&authenticator, &token).await, Refused::Key);
}

/// Answers every request at an address of its own with this.
async fn serve(status: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    format!("http://{address}/jwks.json")
}

#[tokio::test]
async fn keys_are_read_from_an_address() {
    let key = Key::ed25519("e");
    let url = serve("200 OK", jwks([&key])).await;
    let authenticator = Authenticator::start(vec![issuer(Jwks::Url(url))], ManualClock::new());
    let authenticator = authenticator.await.expect("an authenticator");
    assert!(ask(&authenticator, &key.sign(&user_claims())).await.is_ok());
}

#[tokio::test]
async fn an_address_without_keys_makes_no_callers_and_no_crash() {
    let key = Key::ed25519("e");
    let document = jwks([&key]);
    let padded = format!("{document}{}", " ".repeat(KEYS_BYTES_MAX));
    for url in [
        serve("500 Internal Server Error", document).await,
        serve("302 Found", String::new()).await,
        serve("200 OK", padded).await,
        "http://127.0.0.1:1/".to_owned(),
    ] {
        let issuers = vec![issuer(Jwks::Url(url.clone()))];
        let authenticator = Authenticator::start(issuers, ManualClock::new()).await;
        let authenticator = authenticator.expect("an authenticator");
        let token = key.sign(&user_claims());
        assert_eq!(refusal(&authenticator, &token).await, Refused::Key, "{url}");
    }
}
