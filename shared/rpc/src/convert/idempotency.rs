//! Idempotency of requests: keys of stored outcomes, and fingerprints of requests.

use domain::request::{Caller, Fingerprint, Request, RequestKey};
use domain::{ProfileId, RequestId};

/// Version of the canonical forms. A change makes earlier requests differ from later ones.
const VERSION: u8 = 1;

/// Canonical form of a request: its method and all of its fields, in a fixed order. Values from
/// the token, such as the sender's name, are no part of it: a retry may have a newer token.
pub struct Canonical(blake3::Hasher);

impl Canonical {
    /// Creates the canonical form of a request to the method of that path.
    #[must_use]
    pub fn of(method: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 request fingerprint");
        hasher.update(&[VERSION]);
        Self(hasher).field(method)
    }

    /// Appends a field.
    #[must_use]
    pub fn field(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.add(bytes.as_ref());
        self
    }

    /// Appends a list or an optional field.
    #[must_use]
    pub fn list<T: AsRef<[u8]>>(mut self, items: impl IntoIterator<Item = T>) -> Self {
        let mut count = 0_u64;
        for item in items {
            self.add(item.as_ref());
            count += 1;
        }
        self.field(count.to_be_bytes())
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// Returns the key and fingerprint of a user's request; none without a request id.
    #[must_use]
    pub fn of_user(self, user: &ProfileId, request_id: Option<&RequestId>) -> Option<Request> {
        self.request(Caller::User(user.as_str()), request_id)
    }

    /// Returns the key and fingerprint of the app's request; none without a request id.
    #[must_use]
    pub fn of_app(self, request_id: Option<&RequestId>) -> Option<Request> {
        self.request(Caller::App, request_id)
    }

    fn request(self, caller: Caller<'_>, request_id: Option<&RequestId>) -> Option<Request> {
        let key = RequestKey::new(caller, request_id?);
        let mut fingerprint = Fingerprint([0; 8]);
        self.0.finalize_xof().fill(&mut fingerprint.0);
        Some(Request { key, fingerprint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(canonical: Canonical) -> Fingerprint {
        let id = RequestId::parse("once");
        let request = canonical.of_app(id.as_ref());
        request.expect("a request").fingerprint
    }

    #[test]
    fn fields_and_lists_are_delimited() {
        let fingerprints = [
            Canonical::of("/m"),
            Canonical::of("/n"),
            Canonical::of("/m").field("ab"),
            Canonical::of("/m").field("a").field("b"),
            Canonical::of("/m").list(["a", "b"]),
            Canonical::of("/m").list(["a"]).list(["b"]),
            Canonical::of("/m").list(["a", "b"]).list([""; 0]),
            Canonical::of("/m").list([""; 0]).list(["a", "b"]),
        ]
        .map(fingerprint);
        for (index, one) in fingerprints.iter().enumerate() {
            assert!(!fingerprints[index + 1..].contains(one), "{index}");
        }
    }

    #[test]
    fn a_request_without_an_id_has_no_key() {
        assert!(Canonical::of("/m").of_app(None).is_none());
    }
}
