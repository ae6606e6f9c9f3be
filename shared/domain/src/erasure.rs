//! Erasure of a profile: what its job has still to do, and by what it is known once it is done.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::ProfileId;
use crate::time::Millis;

/// Erasure of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppErasure {
    /// Time from which on its rows are deleted; none if it is not to be erased.
    pub at: Option<Millis>,
}

/// Key of the erasure of a profile: a hash, by which it is found again when the profile id itself is
/// erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErasureKey(Uuid);

impl ErasureKey {
    /// The key of a profile.
    #[must_use]
    pub fn of(profile: &ProfileId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 erasure");
        hasher.update(profile.as_str().as_bytes());
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        Self(Uuid::from_bytes(key))
    }

    /// The key with that UUID.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The key as a UUID.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

/// Phases of an erasure, in their order. Each has the rows of one kind, and goes through them in
/// parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasurePhase {
    /// Ids beside the records of the audit log.
    AuditIds,
    /// The revocation of tokens, which the erasure itself replaces.
    Revocation,
    /// Entries and blocks of the mailbox.
    Entries,
    /// Blocks by others.
    Blocks,
    /// Recipients of segments.
    Segments,
    /// Messages that the profile sent, and recipients of other messages.
    Messages,
    /// The mailbox.
    Mailbox,
    /// The memory of replicas, which forget contents within an hour.
    Memory,
    /// Nothing is left to do.
    Done,
}

impl ErasurePhase {
    const ALL: [Self; 9] = [
        Self::AuditIds,
        Self::Revocation,
        Self::Entries,
        Self::Blocks,
        Self::Segments,
        Self::Messages,
        Self::Mailbox,
        Self::Memory,
        Self::Done,
    ];

    /// The number that is stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::AuditIds => 0,
            Self::Revocation => 1,
            Self::Entries => 2,
            Self::Blocks => 3,
            Self::Segments => 4,
            Self::Messages => 5,
            Self::Mailbox => 6,
            Self::Memory => 7,
            Self::Done => 8,
        }
    }

    /// The phase of a stored number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profile;

    #[test]
    fn each_profile_has_a_key_of_its_own() {
        let key = |name| ErasureKey::of(&profile(name)).uuid();
        assert_eq!(key("ann"), key("ann"));
        assert_ne!(key("ann"), key("bob"));
    }

    #[test]
    fn phases_have_the_codes_of_their_order() {
        for (place, phase) in (0..).zip(ErasurePhase::ALL) {
            assert_eq!(phase.code(), place);
            assert_eq!(ErasurePhase::from_code(place), Some(phase));
        }
        assert_eq!(ErasurePhase::from_code(9), None);
    }
}
