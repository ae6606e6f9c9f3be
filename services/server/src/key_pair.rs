//! Key pairs that sign tokens: the private half as PEM (PKCS #8, version 1), the public half as a
//! JSON Web Key.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::ValueEnum;
use serde_json::{Value, json};

/// Algorithm of a key pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyAlgorithm {
    /// Ed25519
    Eddsa,
    /// P-256, for libraries without `EdDSA`
    Es256,
}

/// A new key pair.
pub struct NewKeyPair {
    /// Private half, as PEM.
    pub private: String,
    /// Public half, as a JSON Web Key Set.
    pub jwks: String,
    /// Id of the key: the beginning of a hash of the public half.
    pub kid: String,
}

impl NewKeyPair {
    /// Generates a key pair.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, Unspecified> {
        Ok(match algorithm {
            KeyAlgorithm::Eddsa => {
                let key = Ed25519KeyPair::generate()?;
                let x = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
                let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x });
                Self::of(key.to_pkcs8v1()?.as_ref(), key.public_key().as_ref(), jwk)
            }
            KeyAlgorithm::Es256 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                // Uncompressed: a tag, and both coordinates.
                let point = key.public_key().as_ref();
                let (x, y) = point.get(1..).ok_or(Unspecified)?.split_at(32);
                let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
                let jwk = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "x": x, "y": y });
                Self::of(key.to_pkcs8v1()?.as_ref(), point, jwk)
            }
        })
    }

    fn of(private: &[u8], public: &[u8], mut jwk: Value) -> Self {
        let text = STANDARD.encode(private);
        let kid = blake3::hash(public).to_hex()[..16].to_owned();
        jwk["use"] = json!("sig");
        jwk["kid"] = json!(kid);
        Self {
            private: format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
            jwks: json!({ "keys": [jwk] }).to_string(),
            kid,
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
    use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn a_public_half_verifies_signatures_of_the_private_one() {
        for (named, algorithm) in [
            (KeyAlgorithm::Eddsa, Algorithm::EdDSA),
            (KeyAlgorithm::Es256, Algorithm::ES256),
        ] {
            let pair = NewKeyPair::generate(named).expect("a key");
            let der = PrivatePkcs8KeyDer::from_pem_slice(pair.private.as_bytes()).expect("PEM");
            let der = der.secret_pkcs8_der();
            let private = match named {
                KeyAlgorithm::Eddsa => EncodingKey::from_ed_der(der),
                KeyAlgorithm::Es256 => EncodingKey::from_ec_der(der),
            };
            let claims = json!({ "sub": "alice", "exp": 4_000_000_000_u64 });
            let token = jsonwebtoken::encode(&Header::new(algorithm), &claims, &private);
            let set: JwkSet = serde_json::from_str(&pair.jwks).expect("a set of keys");
            let jwk = set.find(&pair.kid).expect("its key");
            let public = DecodingKey::from_jwk(jwk).expect("a public key");
            let rules = Validation::new(algorithm);
            let token = token.expect("a token");
            let verified = jsonwebtoken::decode::<Value>(&token, &public, &rules);
            assert_eq!(verified.expect("valid").claims, claims, "{named:?}");
        }
    }

    #[test]
    fn a_private_half_is_pkcs_8_of_version_1() {
        for named in [KeyAlgorithm::Eddsa, KeyAlgorithm::Es256] {
            let pair = NewKeyPair::generate(named).expect("a key");
            let der = PrivatePkcs8KeyDer::from_pem_slice(pair.private.as_bytes()).expect("PEM");
            // SEQUENCE with its length, then INTEGER 0.
            let version = &der.secret_pkcs8_der()[..8];
            assert!(
                version.windows(3).any(|bytes| bytes == [2, 1, 0]),
                "{version:?}"
            );
        }
    }
}
