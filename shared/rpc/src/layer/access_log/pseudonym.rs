//! Pseudonyms in the log: keyed hashes that tell callers apart and do not name them.

use std::fmt;

/// Bytes of a pseudonym.
const PSEUDONYM_BYTES: usize = 16;

/// Key of the pseudonyms in the log. Lines of processes with the same key can be joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PseudonymKey([u8; blake3::KEY_LEN]);

impl PseudonymKey {
    /// Key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; blake3::KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the pseudonym of a name within its scopes, in hexadecimal digits: the keyed BLAKE3
    /// hash of the parts with a NUL between them, cut to 16 bytes.
    pub(crate) fn pseudonym(&self, parts: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                hasher.update(&[0]);
            }
            hasher.update(part.as_bytes());
        }
        let mut text = hasher.finalize().to_hex().to_string();
        text.truncate(2 * PSEUDONYM_BYTES);
        text
    }
}

impl fmt::Debug for PseudonymKey {
    /// Formats no part of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_depends_on_the_key_and_all_parts() {
        let key = PseudonymKey::new([1; 32]);
        let pseudonyms = [
            key.pseudonym(&["chess", "alice"]),
            key.pseudonym(&["chess", "bob"]),
            key.pseudonym(&["checkers", "alice"]),
            key.pseudonym(&["chessalice"]),
            PseudonymKey::new([2; 32]).pseudonym(&["chess", "alice"]),
        ];
        for (index, one) in pseudonyms.iter().enumerate() {
            assert_eq!(one.len(), 32);
            assert!(!pseudonyms[index + 1..].contains(one), "{index}");
        }
        let plain = blake3::keyed_hash(&[1; 32], b"chess\0alice");
        assert!(plain.to_hex().starts_with(&pseudonyms[0]));
    }

    #[test]
    fn a_formatted_key_shows_nothing() {
        let key = PseudonymKey::new([7; 32]);
        assert_eq!(format!("{key:?}"), "PseudonymKey(..)");
    }
}
