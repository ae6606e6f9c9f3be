//! The public keys of an issuer.

use std::collections::HashMap;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use super::token::KeyId;

/// The keys of a JSON Web Key Set that can verify tokens.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: HashMap<KeyId, DecodingKey>,
    version: blake3::Hash,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Takes a JSON Web Key Set. Keys of other kinds or for other uses are passed over.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        let Document { keys } = serde_json::from_slice(document)?;
        Ok(Self {
            keys: keys.into_iter().filter_map(usable).collect(),
            version: blake3::hash(document),
        })
    }

    pub fn get(&self, id: &KeyId) -> Option<&DecodingKey> {
        self.keys.get(id)
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Differs where the keys differ.
    pub fn version(&self) -> blake3::Hash {
        self.version
    }
}

/// A key that can verify tokens, if it is one.
fn usable(key: serde_json::Value) -> Option<(KeyId, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let algorithm = algorithm(&jwk.algorithm)?;
    if !is_for(&jwk, algorithm) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let kid = jwk.common.key_id?;
    Some((KeyId { kid, algorithm }, key))
}

/// The one algorithm that a key is for, by its type: `alg` is optional and may lie.
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

/// Whether the key's own restrictions allow it to verify.
fn is_for(jwk: &Jwk, algorithm: Algorithm) -> bool {
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
