//! The keys of the audit log, and the MACs that they make.

use std::fmt;

use super::call::RequestHasher;
use super::record::{AuditHead, AuditLink, AuditRecord};
use crate::id::AppId;

/// A MAC of the audit log.
pub type Mac = [u8; 32];

/// The MAC before the first record of a chain.
pub const NO_MAC: Mac = [0; 32];

/// Id of a key of the audit log. It tells nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditKeyId(pub i64);

/// Formats the id as 16 hexadecimal digits.
impl fmt::Display for AuditKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Key of the audit log, as one key for each use.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditKey {
    id: AuditKeyId,
    record: Mac,
    link: Mac,
    head: Mac,
    request: Mac,
}

impl AuditKey {
    /// Derives the keys from a secret.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        let id = blake3::derive_key("postroom v1 audit key id", &secret);
        let id = id.first_chunk().copied().unwrap_or_default();
        Self {
            id: AuditKeyId(i64::from_be_bytes(id)),
            record: blake3::derive_key("postroom v1 audit record", &secret),
            link: blake3::derive_key("postroom v1 audit link", &secret),
            head: blake3::derive_key("postroom v1 audit head", &secret),
            request: blake3::derive_key("postroom v1 audit request", &secret),
        }
    }

    /// Id of the key.
    #[must_use]
    pub const fn id(&self) -> AuditKeyId {
        self.id
    }

    /// A hasher for a request.
    #[must_use]
    pub fn request_hasher(&self) -> RequestHasher {
        RequestHasher::new(&self.request)
    }

    /// The seal of an app's record: a MAC over all of its fields.
    #[must_use]
    pub fn seal(&self, app: &AppId, record: &AuditRecord) -> Mac {
        Fields::new(&self.record, app)
            .field(record.record_id.as_bytes())
            .field(&record.time.0.to_be_bytes())
            .field(&record.kind.code().to_be_bytes())
            .field(record.method.as_bytes())
            .field(&record.affected.to_be_bytes())
            .field(record.issuer.as_bytes())
            .field(&[u8::from(record.key_id.is_some())])
            .field(record.key_id.as_deref().unwrap_or_default().as_bytes())
            .field(record.call_id.as_bytes())
            .field(&record.request_hash)
            .field(&record.id_count.to_be_bytes())
            .field(&record.ids_root)
            .mac()
    }

    /// The link of a record that follows another, by its seal.
    #[must_use]
    pub fn link(&self, app: &AppId, previous: AuditLink, seal: &Mac) -> AuditLink {
        let no = previous.no + 1;
        let mac = Fields::new(&self.link, app)
            .field(&no.to_be_bytes())
            .field(&previous.mac)
            .field(seal)
            .mac();
        AuditLink { no, mac }
    }

    /// The seal of the ends of an app's chain.
    #[must_use]
    pub fn seal_head(&self, app: &AppId, head: &AuditHead) -> Mac {
        Fields::new(&self.head, app)
            .field(&head.last.no.to_be_bytes())
            .field(&head.last.mac)
            .field(&head.anchor.no.to_be_bytes())
            .field(&head.anchor.mac)
            .mac()
    }
}

impl fmt::Debug for AuditKey {
    /// Formats no part of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(..)")
    }
}

/// Fields of a MAC, each with its length.
struct Fields(blake3::Hasher);

impl Fields {
    fn new(key: &Mac, app: &AppId) -> Self {
        Self(blake3::Hasher::new_keyed(key)).field(app.as_str().as_bytes())
    }

    fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn mac(self) -> Mac {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::AuditKind;
    use crate::time::Millis;

    fn key() -> AuditKey {
        AuditKey::new([7; 32])
    }

    fn app(id: &str) -> AppId {
        AppId::parse(id).expect("an app id")
    }

    fn record() -> AuditRecord {
        AuditRecord {
            record_id: Uuid::from_u128(1),
            time: Millis(2),
            kind: AuditKind::Change,
            method: "method".to_owned(),
            affected: 3,
            issuer: "issuer".to_owned(),
            key_id: None,
            call_id: Uuid::from_u128(4),
            request_hash: [5; 32],
            id_count: 6,
            ids_root: [7; 32],
        }
    }

    #[test]
    fn a_seal_depends_on_the_key_the_app_and_each_field() {
        let change = |change: fn(&mut AuditRecord)| {
            let mut record = record();
            change(&mut record);
            key().seal(&app("chess"), &record)
        };
        let seals = [
            change(|_| {}),
            change(|record| record.record_id = Uuid::from_u128(9)),
            change(|record| record.time = Millis(9)),
            change(|record| record.kind = AuditKind::Read),
            change(|record| record.method.push('9')),
            change(|record| record.affected = 9),
            change(|record| record.issuer.push('9')),
            change(|record| record.key_id = Some(String::new())),
            change(|record| record.key_id = Some("9".to_owned())),
            change(|record| record.call_id = Uuid::from_u128(9)),
            change(|record| record.request_hash = [9; 32]),
            change(|record| record.id_count = 9),
            change(|record| record.ids_root = [9; 32]),
            key().seal(&app("checkers"), &record()),
            AuditKey::new([9; 32]).seal(&app("chess"), &record()),
        ];
        for (index, seal) in seals.iter().enumerate() {
            assert!(!seals[index + 1..].contains(seal), "{index}");
        }
    }

    #[test]
    fn a_link_depends_on_its_place_and_all_before() {
        let (key, app) = (key(), app("chess"));
        let link = |previous, seal| key.link(&app, previous, &[seal; 32]);
        let first = link(AuditLink::START, 1);
        let second = link(first, 2);
        assert_eq!((first.no, second.no), (1, 2));
        assert_ne!(first.mac, link(AuditLink::START, 2).mac);
        assert_ne!(second.mac, link(link(AuditLink::START, 2), 2).mac);
        assert_ne!(second.mac, link(AuditLink { no: 2, ..first }, 2).mac);
    }

    #[test]
    fn a_formatted_key_shows_nothing() {
        assert_eq!(format!("{:?}", key()), "AuditKey(..)");
    }

    #[test]
    fn keys_have_different_ids() {
        let other = AuditKey::new([9; 32]);
        assert_eq!(key().id(), key().id());
        assert_ne!(key().id(), other.id());
        assert_eq!(key().id().to_string().len(), 16);
    }
}
