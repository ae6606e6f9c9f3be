//! Sources of keys, and their reloads.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::advance;

use super::{authenticate, rejection};
use crate::limits::{KEYS_BYTES_MAX, KEYS_REFRESH, KEYS_REFRESH_UNKNOWN, KEYS_STALE_MAX};
use crate::testing::*;
use crate::{Authenticator, Jwks, JwksError, StartError, TokenError};

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
    advance(KEYS_STALE_MAX / 2).await;
    assert!(authenticate(&authenticator, &token).await.is_ok());
    advance(KEYS_STALE_MAX / 2).await;
    assert_eq!(rejection(&authenticator, &token).await, TokenError::Key);
}

/// Starts an HTTP server that answers every request with this, and returns its URL.
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
async fn a_url_without_keys_rejects_all_tokens() {
    let key = SigningKey::ed25519("e");
    let document = jwks([&key]);
    let padded = format!("{document}{}", " ".repeat(KEYS_BYTES_MAX));
    for url in [
        serve("500 Internal Server Error", document).await,
        serve("302 Found", String::new()).await,
        serve("200 OK", padded).await,
        "http://127.0.0.1:1/".to_owned(),
    ] {
        let issuers = vec![issuer(Jwks::Url(url.clone()))];
        let authenticator = Authenticator::start(issuers, TestClock::new()).await;
        let authenticator = authenticator.expect("an authenticator");
        let token = key.sign(&user_claims());
        assert_eq!(
            rejection(&authenticator, &token).await,
            TokenError::Key,
            "{url}"
        );
    }
}
