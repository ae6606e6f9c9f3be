//! Opaque texts that callers pass from one call to another: page contexts and cursors.
//!
//! A token is base64url of a byte for its layout, a message, and a checksum of the message and
//! its binding. The checksum detects alterations, and tokens of other callers or methods. It is
//! no secret: the contents of a token are checked like a request, and app and owner come from
//! the caller.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AppId, ProfileId};
use prost::Message;

const LAYOUT: u8 = 1;
const CHECK_SUM_BYTES: usize = 8;

/// Binding of a token to its app, owner and method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// App of the caller.
    pub app: &'a AppId,
    /// Owner of the mailbox; none for the app itself.
    pub owner: Option<&'a ProfileId>,
    /// Method, or group of methods, that accepts the token.
    pub method: &'static str,
}

impl Binding<'_> {
    /// Returns a message as a token.
    #[must_use]
    pub fn seal(&self, message: &impl Message) -> String {
        let mut bytes = vec![LAYOUT];
        bytes.extend(message.encode_to_vec());
        let check_sum = self.check_sum(&bytes);
        bytes.extend(check_sum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the message of a token; none if it is malformed or has another binding.
    #[must_use]
    pub fn open<M: Message + Default>(&self, token: &str) -> Option<M> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (body, check_sum) = bytes.split_last_chunk::<CHECK_SUM_BYTES>()?;
        if *check_sum != self.check_sum(body) {
            return None;
        }
        let message = body.strip_prefix(&[LAYOUT])?;
        M::decode(message).ok()
    }

    fn check_sum(&self, body: &[u8]) -> [u8; CHECK_SUM_BYTES] {
        let owner = self.owner.map_or("", ProfileId::as_str);
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 token");
        for bound in [self.app.as_str(), owner, self.method] {
            hasher.update(&(bound.len() as u64).to_be_bytes());
            hasher.update(bound.as_bytes());
        }
        hasher.update(body);
        let mut check_sum = [0; CHECK_SUM_BYTES];
        hasher.finalize_xof().fill(&mut check_sum);
        check_sum
    }
}

#[cfg(test)]
mod tests {
    use proto::internal::v1::FeedCursor;

    use super::*;
    use crate::convert::testing::{app, profile};

    fn message() -> FeedCursor {
        FeedCursor {
            epoch: vec![7; 16],
            seq: 42,
            backlog: None,
        }
    }

    #[test]
    fn a_token_opens_only_with_its_binding() {
        let (ours, theirs) = (app("a"), app("b"));
        let (alice, bob) = (profile("alice"), profile("bob"));
        let binding = Binding {
            app: &ours,
            owner: Some(&alice),
            method: "m",
        };
        let token = binding.seal(&message());
        assert_eq!(binding.open(&token), Some(message()));
        let others = [
            Binding {
                app: &theirs,
                ..binding
            },
            Binding {
                owner: Some(&bob),
                ..binding
            },
            Binding {
                owner: None,
                ..binding
            },
            Binding {
                method: "n",
                ..binding
            },
        ];
        for other in others {
            assert_eq!(other.open::<FeedCursor>(&token), None, "{other:?}");
        }
    }

    #[test]
    fn an_altered_token_does_not_open() {
        let app = app("a");
        let binding = Binding {
            app: &app,
            owner: None,
            method: "m",
        };
        let token = binding.seal(&message());
        for index in 0..token.len() {
            for replacement in ["A", "-", "=", ""] {
                let mut altered = token.clone();
                altered.replace_range(index..=index, replacement);
                assert!(altered == token || binding.open::<FeedCursor>(&altered).is_none());
            }
        }
        for none in ["", "A", "ä", "AQ", &format!("{token}A")] {
            assert_eq!(binding.open::<FeedCursor>(none), None, "{none:?}");
        }
    }
}
