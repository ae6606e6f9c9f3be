//! Issuers and tokens for tests: real keys, really signed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Millis;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use storage::Clock;

use super::{Apps, Authenticator, Issuer, Jwks, Kind};

pub const ISS: &str = "https://issuer.test";
/// The time at which tests begin, in seconds.
pub const NOW: i64 = 1_800_000_000;

/// A clock that stands still until it is set.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW * 1000)))
    }

    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

/// A key that signs tokens.
pub struct Key {
    pub kid: &'static str,
    pub algorithm: Algorithm,
    pub secret: EncodingKey,
}

impl Key {
    pub fn ed25519(kid: &'static str) -> Self {
        let key = Ed25519KeyPair::generate().expect("a key");
        let key = key.to_pkcs8v1().expect("its form");
        Self {
            kid,
            algorithm: Algorithm::EdDSA,
            secret: EncodingKey::from_ed_pem(pem(key.as_ref()).as_bytes()).expect("a key"),
        }
    }

    pub fn p256(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let key = key.expect("a key");
        Self {
            kid,
            algorithm: Algorithm::ES256,
            secret: EncodingKey::from_ec_pem(pem(key.as_ref()).as_bytes()).expect("a key"),
        }
    }

    pub fn rsa(kid: &'static str) -> Self {
        let key = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
        let der = key.as_der().expect("its form");
        Self {
            kid,
            algorithm: Algorithm::RS256,
            secret: EncodingKey::from_rsa_pem(pem(der.as_ref()).as_bytes()).expect("a key"),
        }
    }

    /// Its public half, as an issuer publishes it.
    pub fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.secret, self.algorithm).expect("a public half");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    pub fn header(&self) -> Header {
        Header {
            kid: Some(self.kid.to_owned()),
            ..Header::new(self.algorithm)
        }
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    pub fn sign_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.secret).expect("a token")
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a Key>) -> String {
    let keys: Vec<_> = keys.into_iter().map(Key::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// What a good user's token says, valid for an hour.
pub fn user_claims() -> Value {
    json!({
        "iss": ISS,
        "aud": "postroom",
        "exp": NOW + 3600,
        "app": "chess",
        "sub": "alice",
        "name": "Alice",
        "pic": "https://pics.test/alice",
    })
}

/// What a good privileged token says, valid for an hour.
pub fn sys_claims(scope: &str) -> Value {
    json!({
        "iss": ISS,
        "aud": "postroom-sys",
        "exp": NOW + 3600,
        "app": "chess",
        "scope": scope,
    })
}

/// Claims with one of them changed; null takes it away.
pub fn with(mut claims: Value, name: &str, value: Value) -> Value {
    let map = claims.as_object_mut().expect("claims");
    match value {
        Value::Null => drop(map.remove(name)),
        value => drop(map.insert(name.to_owned(), value)),
    }
    claims
}

/// An issuer of any app and kind.
pub fn issuer(jwks: Jwks) -> Issuer {
    Issuer {
        iss: ISS.to_owned(),
        jwks,
        apps: Apps::All,
        kinds: vec![Kind::User, Kind::Sys],
    }
}

/// An authenticator that trusts these keys for any app and kind.
pub async fn trusting(keys: &[&Key], clock: Arc<ManualClock>) -> Arc<Authenticator> {
    let jwks = Jwks::Inline(jwks(keys.iter().copied()));
    Authenticator::start(vec![issuer(jwks)], clock)
        .await
        .expect("an authenticator")
}
