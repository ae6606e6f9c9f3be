//! A JWT, split into its parts but not yet verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, crypto};
use serde::de::DeserializeOwned;

use crate::TokenError;
use crate::claims::Claims;
use crate::jwks::KeySet;
use crate::key_id::KeyId;

/// Accepted signature algorithms. All are asymmetric: a published key cannot sign.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256];

/// An unverified JWT.
pub(crate) struct Token<'a> {
    pub key_id: KeyId,
    /// `typ` of the header.
    pub type_name: Option<String>,
    signed: &'a str,
    signature: &'a str,
    claims: Claims,
}

impl<'a> Token<'a> {
    /// Splits a JWT and checks its header.
    ///
    /// # Errors
    /// If the text is no JWT, or its header names an algorithm or extension that is not accepted.
    pub fn parse(text: &'a str) -> Result<Self, TokenError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = decode(header)?;
        Ok(Self {
            type_name: header.typ.clone(),
            key_id: key_id(header)?,
            signed,
            signature,
            claims: decode(payload)?,
        })
    }

    /// Returns the claims before they are verified: they say whose keys verify them.
    pub const fn unverified(&self) -> &Claims {
        &self.claims
    }

    /// Verifies the signature with the named key, and returns the claims.
    pub fn verify(self, keys: &KeySet) -> Result<Claims, TokenError> {
        let (_, key) = keys.find(&self.key_id).ok_or(TokenError::Key)?;
        let algorithm = self.key_id.algorithm;
        match crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm) {
            Ok(true) => Ok(self.claims),
            Ok(false) | Err(_) => Err(TokenError::Signature),
        }
    }
}

fn key_id(header: Header) -> Result<KeyId, TokenError> {
    let brings_key = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some();
    if brings_key || header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(TokenError::Header);
    }
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenError::Algorithm);
    }
    Ok(KeyId {
        kid: header.kid,
        algorithm: header.alg,
    })
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}
