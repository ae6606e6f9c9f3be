//! Conversations: sets of participants with metadata.

mod metadata;

pub use metadata::{Metadata, MetadataError, MetadataPath};

use crate::id::{ConversationId, ProfileId};
use crate::request::{Fingerprint, first_half};
use crate::time::Millis;

/// Key of a distinct conversation: a hash of its participants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DistinctKey(pub [u8; 16]);

impl DistinctKey {
    /// The key of participants in bytewise order.
    #[must_use]
    pub fn of(participants: &[ProfileId]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 distinct conversation");
        for participant in participants {
            hash_field(&mut hasher, participant.as_str().as_bytes());
        }
        Self(first_half(&hasher))
    }
}

/// Conversation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Id, made by the server or chosen by the client that created it.
    pub conversation_id: ConversationId,
    /// Key of its participants; none: it is not distinct.
    pub distinct_key: Option<DistinctKey>,
    /// Participants in bytewise order, one at least.
    pub participants: Vec<ProfileId>,
    /// Strings that participants have attached.
    pub metadata: Metadata,
    /// 1 at first; grows with every change.
    pub version: i64,
    /// Participant who created it; none once that one is in it no more.
    pub creator: Option<ProfileId>,
    /// Fingerprint of the request that created it.
    pub create_fingerprint: Fingerprint,
    /// Time of the creation.
    pub create_ms: Millis,
    /// Time of the last change.
    pub update_ms: Millis,
}

impl Conversation {
    /// Returns whether a profile is a participant.
    #[must_use]
    pub fn has(&self, profile: &ProfileId) -> bool {
        self.participants.binary_search(profile).is_ok()
    }
}

/// Participation of the owner of a mailbox in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participation {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Time of its creation, by which a user's conversations are listed.
    pub create_ms: Millis,
}

/// Returns the fingerprint of a request to create a conversation.
pub(crate) fn create_fingerprint(
    participants: &[ProfileId],
    distinct: bool,
    metadata: &Metadata,
) -> Fingerprint {
    let mut hasher = blake3::Hasher::new_derive_key("postroom v1 conversation fingerprint");
    hasher.update(&[u8::from(distinct)]);
    hasher.update(&(participants.len() as u64).to_be_bytes());
    for participant in participants {
        hash_field(&mut hasher, participant.as_str().as_bytes());
    }
    hash_field(&mut hasher, metadata.encode().as_bytes());
    let mut fingerprint = Fingerprint([0; 8]);
    hasher.finalize_xof().fill(&mut fingerprint.0);
    fingerprint
}

fn hash_field(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profiles;

    #[test]
    fn each_set_of_participants_has_a_key_of_its_own() {
        let keys = [
            DistinctKey::of(&profiles(["ann", "bob"])),
            DistinctKey::of(&profiles(["annb", "ob"])),
            DistinctKey::of(&profiles(["Ann", "bob"])),
            DistinctKey::of(&profiles(["ann", "bob", "cid"])),
        ];
        assert_eq!(keys[0], DistinctKey::of(&profiles(["ann", "bob"])));
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{index}");
        }
    }
}
