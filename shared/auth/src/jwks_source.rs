//! Sources of key sets: a file, a URL, or the program itself.

use std::io;
use std::path::PathBuf;

use tokio::io::AsyncReadExt as _;

use crate::issuer::{Jwks, is_loopback};
use crate::jwks::KeySet;
use crate::limits::{KEYS_BYTES_MAX, KEYS_TIMEOUT};

/// Failure to load a key set.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// An unreadable file.
    #[error("the file cannot be read")]
    File(#[source] io::Error),
    /// A URL that does not answer, or not with keys.
    #[error("the address does not answer")]
    Url(#[source] reqwest::Error),
    /// More than [`KEYS_BYTES_MAX`] bytes.
    #[error("more than {KEYS_BYTES_MAX} bytes")]
    TooLarge,
    /// Not a JSON Web Key Set.
    #[error("not a JSON Web Key Set")]
    Malformed(#[source] serde_json::Error),
    /// No key that verifies `EdDSA`, ES256 or RS256. Lists the keys with the reasons.
    #[error("no usable key ({0})")]
    NoUsableKey(String),
}

/// Source of an issuer's key set.
#[derive(Debug)]
pub(crate) enum JwksSource {
    File(PathBuf),
    Url(reqwest::Client, String),
    Inline(String),
}

impl JwksSource {
    pub fn new(jwks: Jwks) -> Result<Self, JwksError> {
        Ok(match jwks {
            Jwks::File(path) => Self::File(path),
            Jwks::Url(url) => Self::Url(client(&url).map_err(JwksError::Url)?, url),
            Jwks::Inline(document) => Self::Inline(document),
        })
    }

    /// Returns true if a later load may succeed where the first one failed: keys that are there but
    /// not usable are a mistake.
    pub const fn may_recover(&self, error: &JwksError) -> bool {
        matches!(self, Self::Url(..)) && !matches!(error, JwksError::NoUsableKey(_))
    }

    /// Loads a key set with at least one usable key.
    pub async fn load(&self) -> Result<KeySet, JwksError> {
        let document = match self {
            Self::File(path) => read(path).await?,
            Self::Url(client, url) => fetch(client, url).await?,
            Self::Inline(document) => document.clone().into_bytes(),
        };
        let set = KeySet::parse(&document).map_err(JwksError::Malformed)?;
        if set.len() == 0 {
            return Err(JwksError::NoUsableKey(set.passed_over().to_string()));
        }
        Ok(set)
    }
}

/// Returns a client for that URL. The proxies of the environment are for other machines.
fn client(url: &str) -> Result<reqwest::Client, reqwest::Error> {
    let mut client = reqwest::Client::builder()
        .timeout(KEYS_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    if reqwest::Url::parse(url).is_ok_and(|url| is_loopback(&url)) {
        client = client.no_proxy();
    }
    client.build()
}

async fn read(path: &PathBuf) -> Result<Vec<u8>, JwksError> {
    let file = tokio::fs::File::open(path).await.map_err(JwksError::File)?;
    let mut document = Vec::new();
    file.take(KEYS_BYTES_MAX as u64 + 1)
        .read_to_end(&mut document)
        .await
        .map_err(JwksError::File)?;
    bounded(document)
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, JwksError> {
    let response = client.get(url).send().await.map_err(url_error)?;
    let mut response = response.error_for_status().map_err(url_error)?;
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(url_error)? {
        document.extend_from_slice(&chunk);
        document = bounded(document)?;
    }
    Ok(document)
}

/// Removes the URL, which may contain a secret, from an error that is logged.
fn url_error(error: reqwest::Error) -> JwksError {
    JwksError::Url(error.without_url())
}

fn bounded(document: Vec<u8>) -> Result<Vec<u8>, JwksError> {
    if document.len() > KEYS_BYTES_MAX {
        return Err(JwksError::TooLarge);
    }
    Ok(document)
}
