//! An issuer of tokens for tests: a real key, which really signs.

use std::path::Path;
use std::sync::OnceLock;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// Default app of callers.
pub const APP: &str = "demo";
/// All that a privileged caller can be allowed.
pub const ALL_SCOPES: &str = "sys.read sys.send sys.write sys.bulk sys.admin sys.audit";

const ISS: &str = "https://issuer.test";
const KEY_ID: &str = "test";
const HOUR_S: i64 = 3600;

/// Signs tokens that are good for an hour from a given time on.
pub struct TestIssuer {
    key: EncodingKey,
    pem: String,
}

impl TestIssuer {
    /// The issuer that everything in this process trusts.
    ///
    /// # Panics
    /// If no key can be made.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<TestIssuer> = OnceLock::new();
        SHARED.get_or_init(Self::stranger)
    }

    /// An issuer with a key that no service trusts.
    ///
    /// # Panics
    /// If no key can be made.
    #[must_use]
    pub fn stranger() -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let der = pair.to_pkcs8v1().expect("the form of a key");
        let text = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        Self {
            key: EncodingKey::from_ed_pem(pem.as_bytes()).expect("a key"),
            pem,
        }
    }

    /// Private key as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Public keys as a JWKS document.
    ///
    /// # Panics
    /// If the key has no public half.
    #[must_use]
    pub fn jwks(&self) -> String {
        let jwk = Jwk::from_encoding_key(&self.key, Algorithm::EdDSA).expect("a public half");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = json!(KEY_ID);
        json!({ "keys": [jwk] }).to_string()
    }

    /// Configuration of the issuer, for any app and both kinds of callers.
    #[must_use]
    pub fn config(&self) -> auth::Issuer {
        auth::Issuer::of_all_apps(ISS, auth::Jwks::Inline(self.jwks()))
    }

    /// `[[issuer]]` section of a configuration file, with the keys in a file.
    #[must_use]
    pub fn section(jwks: &Path) -> String {
        let jwks = jwks.display();
        format!("[[issuer]]\niss = '{ISS}'\njwks = '{jwks}'\napps = '*'\nkinds = ['user', 'sys']\n")
    }

    /// A user's token.
    #[must_use]
    pub fn user(&self, app: &str, profile: &str, now_s: i64) -> String {
        self.sign(&user_claims(app, profile, now_s))
    }

    /// The app's token, with these scopes.
    #[must_use]
    pub fn sys(&self, app: &str, scope: &str, now_s: i64) -> String {
        self.sign(&sys_claims(app, scope, now_s))
    }

    /// Signs any claims.
    ///
    /// # Panics
    /// If the key cannot sign.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header {
            kid: Some(KEY_ID.to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &self.key).expect("a token")
    }
}

/// Claims of a valid user token. The shown name is the profile id.
#[must_use]
pub fn user_claims(app: &str, profile: &str, now_s: i64) -> Value {
    json!({
        "iss": ISS,
        "aud": "postroom",
        "iat": now_s,
        "exp": now_s + HOUR_S,
        "app": app,
        "sub": profile,
        "name": profile,
    })
}

/// Claims of a valid privileged token.
#[must_use]
pub fn sys_claims(app: &str, scope: &str, now_s: i64) -> Value {
    json!({
        "iss": ISS,
        "aud": "postroom-sys",
        "exp": now_s + HOUR_S,
        "app": app,
        "scope": scope,
    })
}
