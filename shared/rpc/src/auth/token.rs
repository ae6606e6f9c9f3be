//! A token, taken apart but not believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, crypto};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Refused;
use super::jwks::KeySet;

/// The algorithms that a token may be signed with. All are asymmetric: nobody can sign with
/// what an issuer publishes.
pub(super) const ALGORITHMS: [Algorithm; 3] =
    [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256];

/// Which key a token names. A key is for one algorithm, so a token cannot choose another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct KeyId {
    pub kid: String,
    pub algorithm: Algorithm,
}

/// A token in its parts.
pub(super) struct Token<'a> {
    pub key_id: KeyId,
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

#[derive(Deserialize)]
struct Iss {
    iss: String,
}

impl<'a> Token<'a> {
    /// Takes a JWT apart.
    ///
    /// # Errors
    /// If it is none, or its header asks for what is not done here.
    pub fn parse(text: &'a str) -> Result<Self, Refused> {
        let (signed, signature) = text.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Refused::Malformed)?;
        Ok(Self {
            key_id: key_id(decode(header)?)?,
            signed,
            payload,
            signature,
        })
    }

    /// Who says to have made it.
    pub fn iss(&self) -> Result<String, Refused> {
        Ok(decode::<Iss>(self.payload)?.iss)
    }

    /// What it says, if the key that it names has signed it.
    pub fn verify<C: DeserializeOwned>(&self, keys: &KeySet) -> Result<C, Refused> {
        let key = keys.get(&self.key_id).ok_or(Refused::Key)?;
        let algorithm = self.key_id.algorithm;
        match crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm) {
            Ok(true) => decode(self.payload),
            Ok(false) | Err(_) => Err(Refused::Signature),
        }
    }
}

fn key_id(header: Header) -> Result<KeyId, Refused> {
    let own_key = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some();
    if own_key || header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(Refused::Header);
    }
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refused::Algorithm);
    }
    Ok(KeyId {
        kid: header.kid.ok_or(Refused::Key)?,
        algorithm: header.alg,
    })
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Refused> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refused::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refused::Malformed)
}
