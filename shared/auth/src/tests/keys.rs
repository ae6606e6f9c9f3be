//! Sources of keys, and their reloads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::advance;

use super::{authenticate, rejection};
use crate::limits::{
    KEYS_BYTES_MAX, KEYS_REFRESH, KEYS_REFRESH_UNKNOWN, KEYS_RETRY_MAX, KEYS_RETRY_MIN,
    KEYS_STALE_HOURS,
};
use crate::testing::*;
use crate::{Authenticator, Error, Identity, Issuer, Jwks, JwksError, StartError, TokenError};

#[tokio::test]
async fn an_issuer_without_a_usable_key_is_an_error() {
    let key = SigningKey::rsa("r");
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("RS512")),
        ("alg", json!("unheard-of")),
        ("key_ops", json!(["sign"])),
    ] {
        let jwks = json!({ "keys": [with(key.jwk(), name, value.clone())] }).to_string();
        let url = serve("200 OK", jwks.clone()).await;
        for jwks in [Jwks::Inline(jwks.clone()), Jwks::Url(url)] {
            let error = Authenticator::start(vec![issuer(jwks)], TestClock::new()).await;
            let Some(StartError::Keys { source, .. }) = error.err() else {
                panic!("{name}: {value}: started");
            };
            assert!(
                matches!(&source, JwksError::NoUsableKey(listed) if listed.starts_with("\"r\": ")),
                "{name}: {value}: {source}"
            );
        }
    }
}

#[tokio::test]
async fn unknown_kinds_of_keys_are_skipped() {
    let key = SigningKey::ed25519("e");
    let odd = [
        json!(7),
        json!({ "kty": "XYZ", "kid": "x" }),
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "k", "x": "AA", "y": "AA" }),
        json!({ "kty": "oct", "kid": "o", "k": "c2VjcmV0" }),
        with(key.jwk(), "use", json!(5)),
    ];
    let keys: Vec<_> = odd.into_iter().chain([key.jwk()]).collect();
    let jwks = Jwks::Inline(json!({ "keys": keys }).to_string());
    let authenticator = Authenticator::start(vec![issuer(jwks)], TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    assert!(
        authenticate(&authenticator, &key.sign(&user_claims()))
            .await
            .is_ok()
    );
}

/// File of keys, removed on drop.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(keys: &[&SigningKey]) -> Self {
        let name = format!("postroom-jwks-{}.json", uuid::Uuid::now_v7());
        let file = Self(std::env::temp_dir().join(name));
        file.write(keys);
        file
    }

    fn write(&self, keys: &[&SigningKey]) {
        std::fs::write(&self.0, jwks(keys.iter().copied())).expect("a file");
    }

    async fn trusted(&self) -> Arc<Authenticator> {
        let issuers = vec![issuer(Jwks::File(self.0.clone()))];
        let authenticator = Authenticator::start(issuers, TestClock::new()).await;
        authenticator.expect("an authenticator")
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_causes_one_reload_per_interval() {
    let [first, second, third] = ["1", "2", "3"].map(SigningKey::ed25519);
    let file = KeyFile::new(&[&first]);
    let authenticator = file.trusted().await;

    file.write(&[&first, &second]);
    assert!(
        authenticate(&authenticator, &second.sign(&user_claims()))
            .await
            .is_ok()
    );

    file.write(&[&first, &second, &third]);
    let token = third.sign(&user_claims());
    assert_eq!(rejection(&authenticator, &token).await, TokenError::Key);
    advance(KEYS_REFRESH_UNKNOWN).await;
    assert!(authenticate(&authenticator, &token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_is_not_trusted_after_a_reload() {
    let [old, new] = ["old", "new"].map(SigningKey::ed25519);
    let file = KeyFile::new(&[&old]);
    let authenticator = file.trusted().await;
    let known = old.sign(&user_claims());
    assert!(authenticate(&authenticator, &known).await.is_ok());

    file.write(&[&new]);
    assert!(
        authenticate(&authenticator, &known).await.is_ok(),
        "not reloaded yet"
    );
    let keys = authenticator.keys(ISS);
    let before = keys.current().expect("keys").version();
    advance(KEYS_REFRESH).await;
    while keys.current().expect("keys").version() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(rejection(&authenticator, &known).await, TokenError::Key);
    assert!(
        authenticate(&authenticator, &new.sign(&user_claims()))
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn keys_stay_valid_for_a_day_after_failed_reloads() {
    let key = SigningKey::ed25519("e");
    let file = KeyFile::new(&[&key]);
    let authenticator = file.trusted().await;
    drop(file);
    let token = key.sign(&user_claims());
    let stale = Duration::from_hours(KEYS_STALE_HOURS.unsigned_abs());
    advance(stale / 2).await;
    assert!(authenticate(&authenticator, &token).await.is_ok());
    advance(stale / 2).await;
    assert_unavailable(&authenticate(&authenticator, &token).await, KEYS_RETRY_MAX);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_can_have_another_maximum_age_of_keys() {
    let key = SigningKey::ed25519("e");
    let file = KeyFile::new(&[&key]);
    let impatient = Issuer {
        keys_stale: SignedDuration::from_mins(5),
        ..issuer(Jwks::File(file.0.clone()))
    };
    let authenticator = Authenticator::start(vec![impatient], TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    drop(file);
    let token = key.sign(&user_claims());
    advance(Duration::from_mins(4)).await;
    assert!(authenticate(&authenticator, &token).await.is_ok());
    advance(KEYS_REFRESH).await;
    assert_unavailable(&authenticate(&authenticator, &token).await, KEYS_RETRY_MAX);
}

/// Asserts that the keys are not available, and are loaded again within a time.
fn assert_unavailable(result: &Result<Identity, Error>, within: Duration) {
    let Err(Error::KeysUnavailable { retry_after }) = result else {
        panic!("{result:?}");
    };
    assert!(
        (KEYS_RETRY_MIN..=within).contains(retry_after),
        "{retry_after:?}"
    );
}

/// Returns an authenticator whose issuer's keys come from a URL, and a token.
async fn fetching(url: &str, key: &SigningKey) -> (Arc<Authenticator>, String) {
    let issuers = vec![issuer(Jwks::Url(url.to_owned()))];
    let authenticator = Authenticator::start(issuers, TestClock::new()).await;
    let authenticator = authenticator.expect("an authenticator");
    (authenticator, key.sign(&user_claims()))
}

#[tokio::test]
async fn keys_that_cannot_be_loaded_are_unavailable_until_they_are() {
    let key = SigningKey::ed25519("e");
    let server = KeyServer::start("503 Service Unavailable", String::new()).await;
    let (authenticator, token) = fetching(&server.url, &key).await;
    assert!(!authenticator.has_keys());
    assert_unavailable(&authenticate(&authenticator, &token).await, KEYS_RETRY_MIN);
    server.answer("200 OK", jwks([&key]));
    while authenticate(&authenticator, &token).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(authenticator.has_keys());
    // The first load, and the next one a second later.
    assert_eq!(server.requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_good_set_is_kept_over_answers_without_a_usable_key() {
    let [key, unknown] = ["e", "f"].map(SigningKey::ed25519);
    let server = KeyServer::start("200 OK", jwks([&key])).await;
    let (authenticator, token) = fetching(&server.url, &key).await;
    let rsa = with(SigningKey::rsa("r").jwk(), "alg", json!("RS512"));
    for (status, body) in [
        ("500 Internal Server Error", String::new()),
        ("200 OK", "<html>maintenance</html>".to_owned()),
        ("200 OK", json!({ "keys": [] }).to_string()),
        ("200 OK", json!({ "keys": [rsa] }).to_string()),
    ] {
        let server = KeyServer::start("200 OK", jwks([&key])).await;
        let (authenticator, token) = fetching(&server.url, &key).await;
        server.answer(status, body.clone());
        let foreign = authenticate(&authenticator, &unknown.sign(&user_claims())).await;
        assert_unavailable(&foreign, KEYS_RETRY_MIN);
        assert!(authenticate(&authenticator, &token).await.is_ok(), "{body}");
    }
    assert!(authenticate(&authenticator, &token).await.is_ok());
    let foreign = authenticate(&authenticator, &unknown.sign(&user_claims())).await;
    assert_eq!(foreign, Err(TokenError::Key.into()));
}

#[tokio::test(start_paused = true)]
async fn failed_loads_are_repeated_with_growing_waits() {
    let key = SigningKey::ed25519("e");
    let file = KeyFile::new(&[&key]);
    let authenticator = file.trusted().await;
    let unknown = SigningKey::ed25519("f").sign(&user_claims());
    drop(file);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let Err(Error::KeysUnavailable { retry_after }) =
            authenticate(&authenticator, &unknown).await
        else {
            panic!("available");
        };
        waits.push(retry_after.as_secs());
        let keys = authenticator.keys(ISS);
        let before = keys.loads();
        advance(retry_after).await;
        while keys.loads() == before {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
}

#[tokio::test]
async fn many_callers_with_a_new_key_share_one_load() {
    let [old, new] = ["old", "new"].map(SigningKey::ed25519);
    let server = KeyServer::start("200 OK", jwks([&old])).await;
    let (authenticator, _) = fetching(&server.url, &old).await;
    server.answer("200 OK", jwks([&old, &new]));
    let token = new.sign(&user_claims());
    let calls = (0..20).map(|_| authenticate(&authenticator, &token));
    let results = futures::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(server.requests.load(Ordering::Relaxed), 2);
}

/// HTTP server of keys.
struct KeyServer {
    url: String,
    answer: Arc<Mutex<(&'static str, String)>>,
    requests: Arc<AtomicUsize>,
}

impl KeyServer {
    /// Starts a server that answers every request with this.
    async fn start(status: &'static str, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Self {
            url: format!("http://{address}/jwks.json"),
            answer: Arc::new(Mutex::new((status, body))),
            requests: Arc::default(),
        };
        let (answer, requests) = (server.answer.clone(), server.requests.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                requests.fetch_add(1, Ordering::Relaxed);
                let (status, body) = answer.lock().expect("a lock").clone();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        server
    }

    fn answer(&self, status: &'static str, body: String) {
        *self.answer.lock().expect("a lock") = (status, body);
    }
}

/// Starts a server that answers every request with this, and returns its URL.
async fn serve(status: &'static str, body: String) -> String {
    KeyServer::start(status, body).await.url
}

#[tokio::test]
async fn keys_are_loaded_from_a_url() {
    let key = SigningKey::ed25519("e");
    let url = serve("200 OK", jwks([&key])).await;
    let authenticator = Authenticator::start(vec![issuer(Jwks::Url(url))], TestClock::new());
    let authenticator = authenticator.await.expect("an authenticator");
    assert!(
        authenticate(&authenticator, &key.sign(&user_claims()))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_url_without_keys_leaves_them_unavailable() {
    let key = SigningKey::ed25519("e");
    let document = jwks([&key]);
    let padded = format!("{document}{}", " ".repeat(KEYS_BYTES_MAX));
    for url in [
        serve("500 Internal Server Error", document).await,
        serve("302 Found", String::new()).await,
        serve("200 OK", padded).await,
        "http://127.0.0.1:1/".to_owned(),
    ] {
        let (authenticator, token) = fetching(&url, &key).await;
        assert_unavailable(&authenticate(&authenticator, &token).await, KEYS_RETRY_MIN);
    }
}
