//! Secret keys, in hexadecimal digits.

use secrecy::zeroize::Zeroize;
use secrecy::{CloneableSecret, ExposeSecret as _, SecretBox};
use serde::Deserialize;

/// Length of a key, in bytes.
const KEY_BYTES: usize = 32;

/// A secret key of 32 bytes.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct HexKey(SecretBox<KeyBytes>);

#[derive(Clone, Default)]
struct KeyBytes([u8; KEY_BYTES]);

impl Zeroize for KeyBytes {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl CloneableSecret for KeyBytes {}

impl PartialEq for HexKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for HexKey {}

/// Error for a text that is not a key. It does not show the text.
#[derive(Debug, thiserror::Error)]
#[error("is not a key of 64 hexadecimal digits")]
pub struct NotAKey;

impl HexKey {
    pub fn bytes(&self) -> [u8; KEY_BYTES] {
        self.0.expose_secret().0
    }

    /// Parses 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || text.len() != 2 * KEY_BYTES {
            return None;
        }
        let mut key = KeyBytes::default();
        for (index, byte) in key.0.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(SecretBox::new(Box::new(key))))
    }
}

impl TryFrom<String> for HexKey {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        Self::parse(&text).ok_or(NotAKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_sixty_four_digits() {
        let digits = format!("0aF{}", "1".repeat(61));
        let key = HexKey::parse(&digits).expect("a key");
        assert_eq!(key.bytes()[..2], [0x0a, 0xf1]);
        assert!(!format!("{key:?}").contains("10"), "{key:?}");
        for text in ["", "0a", &digits[1..], &format!("+{}", &digits[1..])] {
            assert_eq!(HexKey::parse(text), None, "{text}");
        }
    }
}
