//! Issuers, keys and signed tokens for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Millis, Now};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use storage::Clock;

use crate::{Authenticator, Issuer, Jwks};

/// Name of the issuer.
pub const ISS: &str = "https://issuer.test";
/// Initial time of a [`TestClock`], in seconds since the Unix epoch.
pub const NOW: i64 = 1_800_000_000;

/// Clock that stands still until advanced.
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Creates a clock that stands at [`NOW`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW * 1000)))
    }

    /// Advances the clock.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Result<Now, storage::Error> {
        Ok(Now::at(Millis(self.0.load(Ordering::Relaxed))))
    }
}

/// Key that signs tokens.
pub struct SigningKey {
    /// Key id.
    pub kid: &'static str,
    /// Algorithm of the signatures.
    pub algorithm: Algorithm,
    /// Private half.
    pub secret: EncodingKey,
}

impl SigningKey {
    /// Creates an Ed25519 key.
    ///
    /// # Panics
    /// If no key can be generated.
    #[must_use]
    pub fn ed25519(kid: &'static str) -> Self {
        let key = Ed25519KeyPair::generate().expect("a key");
        let key = key.to_pkcs8v1().expect("PKCS #8");
        Self {
            kid,
            algorithm: Algorithm::EdDSA,
            secret: EncodingKey::from_ed_pem(pem(key.as_ref()).as_bytes()).expect("a key"),
        }
    }

    /// Creates a P-256 key.
    ///
    /// # Panics
    /// If no key can be generated.
    #[must_use]
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

    /// Creates an RSA key of 2048 bits.
    ///
    /// # Panics
    /// If no key can be generated.
    #[must_use]
    pub fn rsa(kid: &'static str) -> Self {
        let key = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
        let der = key.as_der().expect("PKCS #8");
        Self {
            kid,
            algorithm: Algorithm::RS256,
            secret: EncodingKey::from_rsa_pem(pem(der.as_ref()).as_bytes()).expect("a key"),
        }
    }

    /// Returns the public half as a JSON Web Key.
    ///
    /// # Panics
    /// If the key has no public half.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.secret, self.algorithm).expect("a public half");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    /// Returns the header of a token that names this key.
    #[must_use]
    pub fn header(&self) -> Header {
        Header {
            kid: Some(self.kid.to_owned()),
            ..Header::new(self.algorithm)
        }
    }

    /// Signs claims.
    ///
    /// # Panics
    /// If they cannot be encoded.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    /// Signs claims under another header.
    ///
    /// # Panics
    /// If they cannot be encoded.
    #[must_use]
    pub fn sign_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.secret).expect("a token")
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// Returns the JSON Web Key Set of keys.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> String {
    let keys: Vec<_> = keys.into_iter().map(SigningKey::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// Returns valid claims of a user, for an hour.
#[must_use]
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

/// Returns valid claims of the app itself, for an hour.
#[must_use]
pub fn sys_claims(scope: &str) -> Value {
    json!({
        "iss": ISS,
        "aud": "postroom-sys",
        "exp": NOW + 3600,
        "app": "chess",
        "scope": scope,
    })
}

/// Replaces a claim; null removes it.
///
/// # Panics
/// If the claims are no JSON object.
#[must_use]
pub fn with(mut claims: Value, name: &str, value: Value) -> Value {
    let map = claims.as_object_mut().expect("claims");
    match value {
        Value::Null => drop(map.remove(name)),
        value => drop(map.insert(name.to_owned(), value)),
    }
    claims
}

/// Returns an issuer that may speak for any app and kind.
#[must_use]
pub fn issuer(jwks: Jwks) -> Issuer {
    Issuer::of_all_apps(ISS, jwks)
}

/// Starts an authenticator that trusts these keys for any app and kind.
///
/// # Panics
/// If it does not start.
pub async fn trusting(keys: &[&SigningKey], clock: Arc<TestClock>) -> Arc<Authenticator> {
    let jwks = Jwks::Inline(jwks(keys.iter().copied()));
    Authenticator::start(vec![issuer(jwks)], clock)
        .await
        .expect("an authenticator")
}
