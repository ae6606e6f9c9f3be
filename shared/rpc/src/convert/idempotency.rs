//! What makes a request repeatable: under which key its answer is kept, and what it must
//! say to be the same request.

use domain::request::{Caller, Fingerprint, Request, RequestKey};
use domain::{ProfileId, RequestId};

/// Grows when a method's canonical form changes: what was asked before is then another
/// request.
const VERSION: u8 = 1;

/// The canonical form of a request: its method, then all that it says, in an order that the
/// method fixes. What comes with the token, such as the sender's name, is not part of it:
/// a retry may carry a newer token.
pub struct Canonical(blake3::Hasher);

impl Canonical {
    /// A request of the method of that path.
    #[must_use]
    pub fn of(method: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 request fingerprint");
        hasher.update(&[VERSION]);
        Self(hasher).field(method)
    }

    /// Something that it says.
    #[must_use]
    pub fn field(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.add(bytes.as_ref());
        self
    }

    /// Any number of things, or something optional.
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

    /// How a user can repeat it; not at all without an id.
    #[must_use]
    pub fn of_user(self, user: &ProfileId, request_id: Option<&RequestId>) -> Option<Request> {
        self.request(Caller::User(user.as_str()), request_id)
    }

    /// How the app can repeat it; not at all without an id.
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
    fn fields_and_lists_keep_their_borders() {
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
    fn without_an_id_nothing_can_be_repeated() {
        assert!(Canonical::of("/m").of_app(None).is_none());
    }
}
