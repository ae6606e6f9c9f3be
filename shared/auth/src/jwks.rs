//! JSON Web Key Sets.

use std::collections::HashMap;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use crate::key_id::KeyId;

/// Keys of a JSON Web Key Set that can verify tokens.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: HashMap<KeyId, DecodingKey>,
    version: blake3::Hash,
}

#[derive(Deserialize)]
struct JwksDocument {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Parses a JSON Web Key Set. Keys of other types or for other uses are skipped.
    ///
    /// # Errors
    /// If the document has no list of keys.
    pub fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        let JwksDocument { keys } = serde_json::from_slice(document)?;
        Ok(Self {
            keys: keys.into_iter().filter_map(verification_key).collect(),
            version: blake3::hash(document),
        })
    }

    pub fn get(&self, id: &KeyId) -> Option<&DecodingKey> {
        self.keys.get(id)
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the hash of the document, which changes with the keys.
    pub fn version(&self) -> blake3::Hash {
        self.version
    }
}

/// Returns the key if it can verify tokens.
fn verification_key(key: serde_json::Value) -> Option<(KeyId, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let algorithm = algorithm(&jwk.algorithm)?;
    if !allows(&jwk, algorithm) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let kid = jwk.common.key_id?;
    Some((KeyId { kid, algorithm }, key))
}

/// Returns the only algorithm of a key by its type: `alg` is optional, and not trusted.
fn algorithm(parameters: &AlgorithmParameters) -> Option<Algorithm> {
    match parameters {
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Some(Algorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        _ => None,
    }
}

/// Returns true if `alg`, `use` and `key_ops` allow the key to verify.
fn allows(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let common = &jwk.common;
    let allows_algorithm = common
        .key_algorithm
        .is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    let allows_use = common
        .public_key_use
        .as_ref()
        .is_none_or(|named| *named == PublicKeyUse::Signature);
    let allows_operation = common
        .key_operations
        .as_ref()
        .is_none_or(|named| named.contains(&KeyOperations::Verify));
    allows_algorithm && allows_use && allows_operation
}
