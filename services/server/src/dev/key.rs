//! The development key, created on the first start and kept in the data directory.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jsonwebtoken::EncodingKey;
use serde_json::json;

use super::DataDir;
use crate::config::Problem;

const PRIVATE_FILE: &str = "signing-key.pem";
const PUBLIC_FILE: &str = "jwks.json";

/// An Ed25519 key that signs tokens.
pub struct DevKey {
    pub(super) encoding: EncodingKey,
    pub(super) kid: String,
}

impl DevKey {
    /// Opens the key of a data directory, and creates it if it does not exist, with its public half
    /// in a JWKS file.
    ///
    /// # Errors
    /// If a file cannot be read or written, or others may read it.
    pub fn create(data: &DataDir) -> Result<Self, Problem> {
        if data.read(PRIVATE_FILE)?.is_none() {
            let key = SigningKey::from_bytes(&rand::random());
            data.write(PUBLIC_FILE, &public_half(&key))?;
            data.write(PRIVATE_FILE, &private_half(&key)?)?;
        }
        Self::open(data)
    }

    /// Opens the key of a data directory.
    ///
    /// # Errors
    /// If it does not exist, others may read it, or it is not an Ed25519 key.
    pub fn open(data: &DataDir) -> Result<Self, Problem> {
        let path = data.file(PRIVATE_FILE).display().to_string();
        let Some(pem) = data.read(PRIVATE_FILE)? else {
            return Err(Problem::new(
                path,
                "no development key; `postroom serve --dev` creates one",
            ));
        };
        let Some(jwks) = data.read(PUBLIC_FILE)? else {
            let what = format!("the key's public half, {PUBLIC_FILE}, is missing");
            return Err(Problem::new(path, what));
        };
        let encoding = EncodingKey::from_ed_pem(pem.as_bytes())
            .map_err(|error| Problem::new(path.clone(), format!("not an Ed25519 key: {error}")))?;
        let kid = kid_of(&jwks).ok_or_else(|| Problem::new(path, "its public half has no kid"))?;
        Ok(Self { encoding, kid })
    }

    /// Path of the JWKS file.
    pub fn jwks(data: &DataDir) -> std::path::PathBuf {
        data.file(PUBLIC_FILE)
    }
}

fn private_half(key: &SigningKey) -> Result<String, Problem> {
    match key.to_pkcs8_pem(LineEnding::LF) {
        Ok(pem) => Ok(pem.to_string()),
        Err(error) => Err(Problem::new(PRIVATE_FILE, error.to_string())),
    }
}

fn public_half(key: &SigningKey) -> String {
    let public = key.verifying_key().to_bytes();
    let kid = blake3::hash(&public).to_hex();
    json!({ "keys": [{
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": &kid[..16],
        "x": URL_SAFE_NO_PAD.encode(public),
    }] })
    .to_string()
}

fn kid_of(jwks: &str) -> Option<String> {
    let jwks: serde_json::Value = serde_json::from_str(jwks).ok()?;
    jwks["keys"][0]["kid"].as_str().map(str::to_owned)
}
