//! The development key, created on the first start and kept in the data directory.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::Ed25519KeyPair;
use jsonwebtoken::EncodingKey;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::DataDir;
use crate::config::Problem;
use crate::key_pair::{KeyAlgorithm, NewKeyPair};

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
            let pair = NewKeyPair::generate(KeyAlgorithm::Eddsa)
                .map_err(|error| Problem::new(PRIVATE_FILE, error.to_string()))?;
            data.write(PUBLIC_FILE, &pair.jwks)?;
            data.write(PRIVATE_FILE, &pair.private)?;
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
        let encoding = parse(&pem)
            .map_err(|error| Problem::new(path.clone(), format!("not an Ed25519 key: {error}")))?;
        let kid = kid_of(&jwks).ok_or_else(|| Problem::new(path, "its public half has no kid"))?;
        Ok(Self { encoding, kid })
    }

    /// Path of the JWKS file.
    pub fn jwks(data: &DataDir) -> std::path::PathBuf {
        data.file(PUBLIC_FILE)
    }
}

/// Parses a private half.
fn parse(pem: &str) -> anyhow::Result<EncodingKey> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())?;
    let der = der.secret_pkcs8_der();
    Ed25519KeyPair::from_pkcs8(der).map_err(|error: KeyRejected| anyhow::anyhow!("{error}"))?;
    Ok(EncodingKey::from_ed_der(der))
}

fn kid_of(jwks: &str) -> Option<String> {
    let jwks: serde_json::Value = serde_json::from_str(jwks).ok()?;
    jwks["keys"][0]["kid"].as_str().map(str::to_owned)
}
