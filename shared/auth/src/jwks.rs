//! JSON Web Key Sets.

use std::fmt;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::key_id::KeyId;
use crate::limits::PASSED_OVER_LISTED_MAX;

/// Keys of a JSON Web Key Set that can verify tokens.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<(KeyId, DecodingKey)>,
    passed_over: PassedOver,
    version: blake3::Hash,
}

/// Keys of a set that cannot verify tokens, each with the reason.
#[derive(Debug, Default)]
pub(crate) struct PassedOver(Vec<(Option<String>, &'static str)>);

#[derive(Deserialize)]
struct JwksDocument {
    keys: Vec<Value>,
}

impl KeySet {
    /// Parses a JSON Web Key Set. Keys of other types or for other uses are passed over.
    ///
    /// # Errors
    /// If the document has no list of keys.
    pub fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        let JwksDocument { keys } = serde_json::from_slice(document)?;
        let mut set = Self {
            keys: Vec::new(),
            passed_over: PassedOver::default(),
            version: blake3::hash(document),
        };
        for key in keys {
            let kid = key["kid"].as_str().map(str::to_owned);
            match verification_key(key) {
                Ok((id, _)) if set.keys.iter().any(|(known, _)| *known == id) => {
                    set.passed_over.0.push((kid, "a kid of another key"));
                }
                Ok(key) => set.keys.push(key),
                Err(reason) => set.passed_over.0.push((kid, reason)),
            }
        }
        Ok(set)
    }

    /// Returns the key that a token names, or the only one of its algorithm if it names none.
    pub fn find(&self, named: &KeyId) -> Option<(&KeyId, &DecodingKey)> {
        let is_named = |id: &KeyId| named.kid.is_none() || id.kid == named.kid;
        let fitting = self.keys.iter();
        let mut fitting = fitting.filter(|(id, _)| id.algorithm == named.algorithm && is_named(id));
        let (id, key) = fitting.next()?;
        fitting.next().is_none().then_some((id, key))
    }

    /// Returns the ids of the keys, in the order of the document.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.iter().map(|(id, _)| id)
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub const fn passed_over(&self) -> &PassedOver {
        &self.passed_over
    }

    /// Returns the hash of the document, which changes with the keys.
    pub const fn version(&self) -> blake3::Hash {
        self.version
    }
}

impl PassedOver {
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Lists the keys, [`PASSED_OVER_LISTED_MAX`] at most.
impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kid, reason)) in self.0.iter().take(PASSED_OVER_LISTED_MAX).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match kid {
                Some(kid) => write!(f, "{separator}{kid:?}: {reason}")?,
                None => write!(f, "{separator}without kid: {reason}")?,
            }
        }
        match self.0.len().saturating_sub(PASSED_OVER_LISTED_MAX) {
            0 => Ok(()),
            others => write!(f, ", and {others} more"),
        }
    }
}

/// Returns the key if it can verify tokens.
///
/// # Errors
/// The reason why it cannot.
fn verification_key(key: Value) -> Result<(KeyId, DecodingKey), &'static str> {
    let jwk: Jwk = serde_json::from_value(key).map_err(|_| "not a known kind of key")?;
    let algorithm = algorithm(&jwk.algorithm).ok_or("of no accepted algorithm")?;
    check_use(&jwk, algorithm)?;
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| "malformed")?;
    let kid = jwk.common.key_id;
    Ok((KeyId { kid, algorithm }, key))
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

/// Checks that `alg`, `use` and `key_ops` allow the key to verify.
fn check_use(jwk: &Jwk, algorithm: Algorithm) -> Result<(), &'static str> {
    let common = &jwk.common;
    let named = common.key_algorithm;
    if named.is_some_and(|named| named != KeyAlgorithm::from(algorithm)) {
        return Err("of another alg than EdDSA, ES256 and RS256");
    }
    let named = common.public_key_use.as_ref();
    if named.is_some_and(|named| *named != PublicKeyUse::Signature) {
        return Err("for another use than sig");
    }
    let named = common.key_operations.as_ref();
    if named.is_some_and(|named| !named.contains(&KeyOperations::Verify)) {
        return Err("key_ops without verify");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{SigningKey, with};

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a set")
    }

    fn key_id(kid: Option<&str>, algorithm: Algorithm) -> KeyId {
        let kid = kid.map(str::to_owned);
        KeyId { kid, algorithm }
    }

    #[test]
    fn a_token_without_kid_has_the_only_key_of_its_algorithm() {
        let [one, two] = ["1", "2"].map(SigningKey::ed25519);
        let rsa = with(SigningKey::rsa("r").jwk(), "kid", Value::Null);
        let found = |keys: &KeySet, kid, algorithm| {
            let found = keys.find(&key_id(kid, algorithm));
            found.map(|(id, _)| id.clone())
        };
        let keys = set(&[one.jwk(), rsa.clone()]);
        let first = key_id(Some("1"), Algorithm::EdDSA);
        assert_eq!(found(&keys, None, Algorithm::EdDSA), Some(first));
        let nameless = key_id(None, Algorithm::RS256);
        assert_eq!(found(&keys, None, Algorithm::RS256), Some(nameless));
        assert_eq!(found(&keys, Some("r"), Algorithm::RS256), None);
        assert_eq!(found(&keys, None, Algorithm::ES256), None);
        let keys = set(&[one.jwk(), two.jwk(), rsa]);
        assert_eq!(found(&keys, None, Algorithm::EdDSA), None);
        let second = key_id(Some("2"), Algorithm::EdDSA);
        assert_eq!(found(&keys, Some("2"), Algorithm::EdDSA), Some(second));
    }

    #[test]
    fn keys_that_are_passed_over_have_a_reason() {
        let key = SigningKey::rsa("r").jwk();
        let set = set(&[
            key.clone(),
            key.clone(),
            with(key.clone(), "use", json!("enc")),
            with(key.clone(), "alg", json!("RS512")),
            with(key.clone(), "key_ops", json!(["sign"])),
            with(key, "n", json!("!")),
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            json!(7),
        ]);
        assert_eq!(set.len(), 1);
        let listed = set.passed_over().to_string();
        assert_eq!(
            listed,
            "\"r\": a kid of another key, \"r\": for another use than sig, \
             \"r\": of another alg than EdDSA, ES256 and RS256, \
             \"r\": key_ops without verify, \"r\": malformed, \
             without kid: of no accepted algorithm, without kid: not a known kind of key"
        );
    }

    #[test]
    fn a_long_list_of_keys_that_are_passed_over_is_cut() {
        let listed = set(&vec![json!(7); 1000]).passed_over().to_string();
        assert!(listed.ends_with(", and 990 more"), "{listed}");
    }
}
