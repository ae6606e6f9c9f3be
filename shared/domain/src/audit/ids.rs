//! Ids that an audited call touched, each with a salt, or erased to its commitment.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::id::{JobId, MessageId, ProfileId};
use crate::limits::AUDIT_IDS_MAX;

/// Bytes of a salt.
const SALT_BYTES: usize = 16;
/// Bit of the tag of an erased id.
const ERASED: u8 = 0x80;

type Salt = [u8; SALT_BYTES];
type Commitment = [u8; 32];

/// An id in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditId {
    /// Subject of the caller's token.
    Subject(Arc<str>),
    /// Profile whose mailbox was changed or read.
    Profile(ProfileId),
    /// Message that was changed or shown.
    Message(MessageId),
    /// Send job that was started or changed.
    Job(JobId),
}

impl AuditId {
    const fn tag(&self) -> u8 {
        match self {
            Self::Subject(_) => 1,
            Self::Profile(_) => 2,
            Self::Message(_) => 3,
            Self::Job(_) => 4,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Subject(text) => text.as_bytes().to_vec(),
            Self::Profile(profile) => profile.as_str().as_bytes().to_vec(),
            Self::Message(id) => id.uuid().as_bytes().to_vec(),
            Self::Job(id) => id.uuid().as_bytes().to_vec(),
        }
    }

    fn parse(tag: u8, bytes: &[u8]) -> Option<Self> {
        let text = || std::str::from_utf8(bytes).ok();
        let uuid = || Uuid::from_slice(bytes).ok();
        match tag {
            1 => Some(Self::Subject(text()?.into())),
            2 => Some(Self::Profile(ProfileId::parse(text()?).ok()?)),
            3 => Some(Self::Message(MessageId::new(uuid()?))),
            4 => Some(Self::Job(JobId::new(uuid()?))),
            _ => None,
        }
    }

    fn commitment(&self, salt: &Salt) -> Commitment {
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 audit id");
        hasher.update(&[self.tag()]);
        hasher.update(salt);
        hasher.update(&self.bytes());
        hasher.finalize().into()
    }
}

/// Formats the id as callers write it.
impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(text) => f.write_str(text),
            Self::Profile(profile) => profile.fmt(f),
            Self::Message(id) => id.fmt(f),
            Self::Job(id) => id.fmt(f),
        }
    }
}

/// An id with its salt, or what is left of an erased one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SealedId {
    Kept(Salt, AuditId),
    /// An erased id: its tag and commitment.
    Erased(u8, Commitment),
}

/// Ids of a record, [`AUDIT_IDS_MAX`] at the most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditIds(Vec<SealedId>);

impl AuditIds {
    /// The first of the ids, as many as a record takes, each with a random salt of its own.
    #[must_use]
    pub fn new(ids: Vec<AuditId>, mut salt: impl FnMut() -> [u8; SALT_BYTES]) -> Self {
        let ids = ids.into_iter().take(AUDIT_IDS_MAX);
        Self(ids.map(|id| SealedId::Kept(salt(), id)).collect())
    }

    /// Ids that are not erased.
    pub fn kept(&self) -> impl Iterator<Item = &AuditId> {
        self.0.iter().filter_map(|entry| match entry {
            SealedId::Kept(_, id) => Some(id),
            SealedId::Erased(..) => None,
        })
    }

    /// Number of ids that are erased.
    #[must_use]
    pub fn erased(&self) -> usize {
        self.0.len() - self.kept().count()
    }

    /// Commitment to all ids, the same before and after an erasure.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("postroom v1 audit ids");
        for entry in &self.0 {
            let (tag, commitment) = match entry {
                SealedId::Kept(salt, id) => (id.tag(), id.commitment(salt)),
                SealedId::Erased(tag, commitment) => (*tag, *commitment),
            };
            hasher.update(&[tag]);
            hasher.update(&commitment);
        }
        hasher.finalize().into()
    }

    /// Erases a profile, as the subject of the caller, too. False if it is not among the ids.
    pub fn erase(&mut self, profile: &ProfileId) -> bool {
        let mut has_erased = false;
        for entry in &mut self.0 {
            let SealedId::Kept(salt, id) = &*entry else {
                continue;
            };
            let is_meant = match id {
                AuditId::Subject(text) => **text == *profile.as_str(),
                AuditId::Profile(named) => named == profile,
                AuditId::Message(_) | AuditId::Job(_) => false,
            };
            if is_meant {
                *entry = SealedId::Erased(id.tag(), id.commitment(salt));
                has_erased = true;
            }
        }
        has_erased
    }

    /// The stored form: for each id its tag, then salt, length in two bytes and bytes, or the
    /// commitment of an erased one.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut encoded = Vec::new();
        for entry in &self.0 {
            match entry {
                SealedId::Kept(salt, id) => {
                    let bytes = id.bytes();
                    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
                    encoded.push(id.tag());
                    encoded.extend_from_slice(salt);
                    encoded.extend_from_slice(&length.to_be_bytes());
                    encoded.extend_from_slice(&bytes[..usize::from(length)]);
                }
                SealedId::Erased(tag, commitment) => {
                    encoded.push(tag | ERASED);
                    encoded.extend_from_slice(commitment);
                }
            }
        }
        encoded
    }

    /// Parses a stored form; none if it is malformed.
    #[must_use]
    pub fn decode(mut encoded: &[u8]) -> Option<Self> {
        let mut entries = Vec::new();
        while let Some((tag, rest)) = encoded.split_first() {
            let (entry, rest) = if tag & ERASED == 0 {
                let (salt, rest) = rest.split_first_chunk()?;
                let (length, rest) = rest.split_first_chunk()?;
                let (bytes, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
                (SealedId::Kept(*salt, AuditId::parse(*tag, bytes)?), rest)
            } else {
                let (commitment, rest) = rest.split_first_chunk()?;
                (SealedId::Erased(tag & !ERASED, *commitment), rest)
            };
            entries.push(entry);
            encoded = rest;
        }
        Some(Self(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{profile, sent_at};

    fn ids() -> AuditIds {
        let ids = vec![
            AuditId::Subject("bob".into()),
            AuditId::Profile(profile("ann")),
            AuditId::Profile(profile("bob")),
            AuditId::Message(sent_at(7)),
            AuditId::Job(JobId::NONE),
        ];
        let mut next = 0;
        AuditIds::new(ids, || {
            next += 1;
            [next; SALT_BYTES]
        })
    }

    #[test]
    fn an_erased_profile_leaves_the_commitment_and_no_trace() {
        let (before, mut ids) = (ids(), ids());
        assert!(ids.erase(&profile("bob")));
        assert_eq!((ids.root(), ids.erased()), (before.root(), 2));
        assert!(!ids.encode().windows(3).any(|bytes| bytes == b"bob"));
        assert!(before.encode().windows(3).any(|bytes| bytes == b"bob"));
        assert!(!ids.erase(&profile("bob")) && !ids.erase(&profile("cid")));
    }

    #[test]
    fn a_stored_form_is_read_as_it_was() {
        let mut ids = ids();
        assert_eq!(AuditIds::decode(&ids.encode()), Some(ids.clone()));
        ids.erase(&profile("ann"));
        let encoded = ids.encode();
        assert_eq!(AuditIds::decode(&encoded), Some(ids));
        assert_eq!(AuditIds::decode(&encoded[..encoded.len() - 1]), None);
        assert_eq!(AuditIds::decode(&[9; 40]), None);
        assert_eq!(AuditIds::decode(&[]), Some(AuditIds::default()));
    }

    #[test]
    fn the_root_depends_on_each_id_its_salt_and_kind() {
        let one = |id, salt| AuditIds::new(vec![id], || [salt; SALT_BYTES]).root();
        let roots = [
            one(AuditId::Profile(profile("ann")), 1),
            one(AuditId::Profile(profile("ann")), 2),
            one(AuditId::Profile(profile("bob")), 1),
            one(AuditId::Subject("ann".into()), 1),
            AuditIds::default().root(),
            ids().root(),
        ];
        for (index, root) in roots.iter().enumerate() {
            assert!(!roots[index + 1..].contains(root), "{index}");
        }
    }

    #[test]
    fn a_record_takes_a_bounded_number_of_ids() {
        let many = vec![AuditId::Message(sent_at(7)); AUDIT_IDS_MAX + 1];
        let ids = AuditIds::new(many, || [0; SALT_BYTES]);
        assert_eq!(ids.kept().count(), AUDIT_IDS_MAX);
    }
}
