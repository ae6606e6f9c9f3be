//! Where keys are read from.

use std::io;
use std::path::PathBuf;

use tokio::io::AsyncReadExt as _;

use super::issuer::Jwks;
use super::jwks::KeySet;
use crate::limits::{KEYS_BYTES_MAX, KEYS_TIMEOUT};

/// Why keys could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    File(#[source] io::Error),
    /// The address does not answer, or not with keys.
    #[error("the address does not answer")]
    Url(#[source] reqwest::Error),
    /// There is more than keys may have.
    #[error("more than {KEYS_BYTES_MAX} bytes")]
    TooLarge,
    /// It is no JSON Web Key Set.
    #[error("no JSON Web Key Set")]
    Malformed(#[source] serde_json::Error),
}

/// Where an issuer's keys are read from.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Url(reqwest::Client, String),
    Inline(String),
}

impl Source {
    pub fn new(jwks: Jwks) -> Result<Self, LoadError> {
        Ok(match jwks {
            Jwks::File(path) => Self::File(path),
            Jwks::Url(url) => Self::Url(client().map_err(LoadError::Url)?, url),
            Jwks::Inline(document) => Self::Inline(document),
        })
    }

    /// Whether keys can be there later that are not there now.
    pub const fn may_be_away(&self) -> bool {
        matches!(self, Self::Url(..))
    }

    pub async fn load(&self) -> Result<KeySet, LoadError> {
        let document = match self {
            Self::File(path) => read(path).await?,
            Self::Url(client, url) => fetch(client, url).await?,
            Self::Inline(document) => document.clone().into_bytes(),
        };
        KeySet::parse(&document).map_err(LoadError::Malformed)
    }
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(KEYS_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

async fn read(path: &PathBuf) -> Result<Vec<u8>, LoadError> {
    let file = tokio::fs::File::open(path).await.map_err(LoadError::File)?;
    let mut document = Vec::new();
    file.take(KEYS_BYTES_MAX as u64 + 1)
        .read_to_end(&mut document)
        .await
        .map_err(LoadError::File)?;
    bounded(document)
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, LoadError> {
    let answer = client.get(url).send().await.map_err(away)?;
    let mut answer = answer.error_for_status().map_err(away)?;
    let mut document = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(away)? {
        document.extend_from_slice(&chunk);
        document = bounded(document)?;
    }
    Ok(document)
}

/// An address can hold a secret, which the log need not have.
fn away(error: reqwest::Error) -> LoadError {
    LoadError::Url(error.without_url())
}

fn bounded(document: Vec<u8>) -> Result<Vec<u8>, LoadError> {
    if document.len() > KEYS_BYTES_MAX {
        return Err(LoadError::TooLarge);
    }
    Ok(document)
}
