//! Sealed contents: encrypted and signed by clients, opaque to the server.

use std::collections::HashSet;

use bytes::Bytes;

use super::Digest;
use crate::id::ProfileId;
use crate::limits::{
    KEY_ID_BYTES_MAX, KEY_WRAPS_MAX, SEALED_HEADERS_BYTES_MAX, SEALED_SCHEME_BYTES_MAX,
    WRAPPED_KEY_BYTES_MAX,
};
use crate::violation::{Reason, Violations};

/// A sealed content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Name of the sealing scheme, agreed between the clients.
    pub scheme: String,
    /// Small, encrypted metadata, which clients search.
    pub headers: Bytes,
    /// Encrypted payload.
    pub payload: Bytes,
    /// Id of the signing key.
    pub sender_key_id: String,
    /// Signature by that key.
    pub signature: Bytes,
    /// Content key, wrapped for each profile that may open it.
    pub keys: Vec<KeyWrap>,
}

/// Content key, wrapped for one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWrap {
    /// Profile that can unwrap the key.
    pub profile_id: String,
    /// Id of the wrapping key.
    pub key_id: String,
    /// The wrapped key.
    pub wrapped_key: Bytes,
}

impl Sealed {
    pub(super) fn check(&self, field: &str, violations: &mut Violations) {
        let mut refuse = |path: &str, description: String| {
            violations.add(
                format!("{field}.{path}"),
                Reason::ContentInvalid,
                description,
            );
        };
        if self.scheme.is_empty() || !is_text(&self.scheme, SEALED_SCHEME_BYTES_MAX) {
            refuse(
                "scheme",
                format!("must have 1 to {SEALED_SCHEME_BYTES_MAX} bytes, no NUL"),
            );
        }
        if !is_text(&self.sender_key_id, KEY_ID_BYTES_MAX) {
            refuse("sender_key_id", key_id_rule());
        }
        for (path, length, max) in [
            ("headers", self.headers.len(), SEALED_HEADERS_BYTES_MAX),
            ("keys", self.keys.len(), KEY_WRAPS_MAX),
        ] {
            if length > max {
                let unit = if path == "keys" { "wraps" } else { "bytes" };
                refuse(path, format!("must have at most {max} {unit}"));
            }
        }
        let mut seen = HashSet::new();
        for (index, wrap) in self.keys.iter().take(KEY_WRAPS_MAX).enumerate() {
            wrap.check(|path, description| refuse(&format!("keys[{index}].{path}"), description));
            if !seen.insert(&wrap.profile_id) {
                refuse(
                    &format!("keys[{index}].profile_id"),
                    "has a wrap already".to_owned(),
                );
            }
        }
    }

    pub(super) fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 sealed");
        for field in [
            self.scheme.as_bytes(),
            &self.headers,
            &self.payload,
            self.sender_key_id.as_bytes(),
            &self.signature,
        ] {
            hasher.update(&(field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        *hasher.finalize().as_bytes()
    }
}

impl KeyWrap {
    fn check(&self, mut refuse: impl FnMut(&str, String)) {
        if let Err(error) = ProfileId::parse(&self.profile_id) {
            refuse("profile_id", error.to_string());
        }
        if !is_text(&self.key_id, KEY_ID_BYTES_MAX) {
            refuse("key_id", key_id_rule());
        }
        if !(1..=WRAPPED_KEY_BYTES_MAX).contains(&self.wrapped_key.len()) {
            refuse(
                "wrapped_key",
                format!("must have 1 to {WRAPPED_KEY_BYTES_MAX} bytes"),
            );
        }
    }
}

fn is_text(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && !text.contains('\0')
}

fn key_id_rule() -> String {
    format!("must have at most {KEY_ID_BYTES_MAX} bytes, no NUL")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Sealed {
        Sealed {
            scheme: "hpke".into(),
            headers: Bytes::from_static(b"h"),
            payload: Bytes::from_static(b"p"),
            sender_key_id: "k".into(),
            signature: Bytes::from_static(b"s"),
            keys: vec![KeyWrap {
                profile_id: "bob".into(),
                key_id: "k2".into(),
                wrapped_key: Bytes::from_static(b"w"),
            }],
        }
    }

    fn violating_fields(sealed: &Sealed) -> Vec<String> {
        let mut violations = Violations::none();
        sealed.check("content.sealed", &mut violations);
        violations
            .as_slice()
            .iter()
            .map(|found| found.field.clone())
            .collect()
    }

    #[test]
    fn each_field_is_bounded() {
        assert!(violating_fields(&sealed()).is_empty());
        let mut invalid = sealed();
        invalid.scheme.clear();
        invalid.headers = vec![0; SEALED_HEADERS_BYTES_MAX + 1].into();
        invalid.keys.push(invalid.keys[0].clone());
        invalid.keys.push(KeyWrap {
            profile_id: "a\nb".into(),
            ..invalid.keys[0].clone()
        });
        assert_eq!(
            violating_fields(&invalid),
            [
                "content.sealed.scheme",
                "content.sealed.headers",
                "content.sealed.keys[1].profile_id",
                "content.sealed.keys[2].profile_id",
            ]
        );
    }

    #[test]
    fn the_digest_does_not_cover_the_wraps() {
        let mut rewrapped = sealed();
        rewrapped.keys.clear();
        assert_eq!(rewrapped.digest(), sealed().digest());
        rewrapped.signature = Bytes::new();
        assert_ne!(rewrapped.digest(), sealed().digest());
    }
}
