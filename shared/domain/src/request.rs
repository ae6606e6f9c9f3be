//! Idempotency: the same request id by the same caller gives the first answer again.

use crate::limits::REQUEST_ID_BYTES_MAX;

/// Request id: a caller's name for a request, which makes it safe to repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Takes 1 to 64 bytes of `[A-Za-z0-9._-]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=REQUEST_ID_BYTES_MAX).contains(&text.len());
        (fits && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The id as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Scope of request ids: each caller has names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller<'a> {
    /// A user of the app.
    User(&'a str),
    /// The app itself: all of its privileged callers are one.
    App,
}

/// The key under which the answer to a request is kept, within an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(pub [u8; 16]);

impl RequestKey {
    /// The key of a caller's request id.
    #[must_use]
    pub fn new(caller: Caller<'_>, request_id: &RequestId) -> Self {
        let (kind, profile) = match caller {
            Caller::User(profile) => (b"u", profile),
            Caller::App => (b"a", ""),
        };
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 request key");
        hasher.update(kind);
        hasher.update(&(profile.len() as u64).to_be_bytes());
        hasher.update(profile.as_bytes());
        hasher.update(request_id.0.as_bytes());
        Self(first_half(&hasher))
    }
}

/// Fingerprint of a request, in eight bytes: its method and canonical fields. A
/// caller that uses an id for two requests is found by it; callers do not share keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 8]);

/// A request that can be repeated: its key, and what it must be to get the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Key of the stored answer.
    pub key: RequestKey,
    /// Fingerprint of the request.
    pub fingerprint: Fingerprint,
}

/// The first sixteen bytes of what was hashed.
pub(crate) fn first_half(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut half = [0; 16];
    hasher.finalize_xof().fill(&mut half);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RequestId {
        RequestId::parse(text).expect("a request id")
    }

    #[test]
    fn request_ids_are_short_and_plain() {
        assert!(RequestId::parse("0190-a_b.C").is_some());
        for text in ["", "a b", "a:b", "ä", &"x".repeat(65)] {
            assert!(RequestId::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn each_caller_has_its_own_keys() {
        let keys = [
            RequestKey::new(Caller::User("a"), &id("b")),
            RequestKey::new(Caller::User("ab"), &id("b")),
            RequestKey::new(Caller::User("a"), &id("bb")),
            RequestKey::new(Caller::App, &id("b")),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key));
        }
    }
}
