//! The audit log: reads for the app, and verification, trimming and erasure for operators.

use async_trait::async_trait;
use domain::audit::{AuditIds, AuditKey, AuditKeyId, AuditLink, AuditRecord};
use domain::{AppId, Millis, ProfileId};
use uuid::Uuid;

use crate::error::Error;

/// A numbered record with the ids that are kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Number and MAC.
    pub link: AuditLink,
    /// The record.
    pub record: AuditRecord,
    /// Ids that the call touched.
    pub ids: AuditIds,
}

/// Criteria of records. All that are set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only records after this time, exclusive.
    pub after: Option<Millis>,
    /// Only records before this time, exclusive.
    pub before: Option<Millis>,
    /// Only records of this method, by its full name.
    pub method: Option<String>,
    /// Only records of callers with this subject.
    pub subject: Option<String>,
    /// Only records of calls that touched this profile, message or job.
    pub touched_id: Option<String>,
}

/// Place of a record in the order of pages: by time, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPosition {
    /// Time of the record.
    pub time: Millis,
    /// Number of the record.
    pub no: i64,
}

/// A page of records, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// Records of the page.
    pub entries: Vec<AuditEntry>,
    /// Last record that was examined, if there may be more behind it.
    pub next: Option<AuditPosition>,
}

/// A fault of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFault {
    /// The head is missing, was changed, or was not sealed with the current key.
    Head,
    /// The last record is another than the head says.
    End(i64),
    /// Records from this number on are missing.
    Missing(i64),
    /// The record of this number was changed, or not sealed with any of the keys.
    Record(i64),
    /// The record of this number was sealed with a key that had been replaced for longer than
    /// [`domain::limits::AUDIT_KEY_OVERLAP_MS`].
    Replaced(i64),
    /// The ids beside the record of this number are not those that it commits to.
    Ids(i64),
    /// The record of this number does not follow the one before.
    Link(i64),
}

/// A part of a chain, in the order of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPart {
    /// Records of the part.
    pub entries: Vec<AuditEntry>,
    /// Faults of the part; none without keys.
    pub faults: Vec<AuditFault>,
    /// The place at which the next part begins; none after the last part.
    pub next: Option<AuditPlace>,
}

/// Place in a chain up to which it was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPlace {
    /// The last record before it.
    pub link: AuditLink,
    /// Use of the newest key that has sealed a record before it.
    pub newest_key: Option<KeyUse>,
}

/// Records that a key has sealed, by the first and the latest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// Place of the key in the list of keys.
    pub key: usize,
    /// Time of the first record.
    pub first: Millis,
    /// Latest time of a record.
    pub latest: Millis,
}

/// The audit log of each app.
///
/// Records are written with the changes that they are about: see [`Budget::audit`]. A job numbers
/// and chains them; only numbered ones are read.
///
/// [`Budget::audit`]: crate::Budget::audit
///
/// # Errors
/// As for all reads, see [`MailStore`](crate::MailStore).
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Returns the latest records that meet a filter, behind `after`; at most `rows` of them, and of
    /// at most [`domain::limits::PAGE_BYTES_MAX`] bytes of ids, or one. Examines at most
    /// [`domain::limits::AUDIT_RECORDS_EXAMINED_MAX`] records.
    async fn audit_page(
        &self,
        app: &AppId,
        filter: &AuditFilter,
        after: Option<AuditPosition>,
        rows: u32,
    ) -> Result<AuditPage, Error>;

    /// Returns the next apps with an audit log, in the order of their ids; none behind the last.
    async fn audited_apps(&self, after: Option<AppId>) -> Result<Vec<AppId>, Error>;

    /// Returns the ids of the keys that have sealed the heads of chains.
    async fn audit_head_keys(&self) -> Result<Vec<AuditKeyId>, Error>;

    /// Reads the next part of a chain, behind `after`; from its first record if that is none.
    /// Verifies it with the current key and those before it, the latest first, if there are any.
    async fn verify_audit(
        &self,
        app: &AppId,
        keys: &[AuditKey],
        after: Option<AuditPlace>,
    ) -> Result<AuditPart, Error>;

    /// Erases a profile from the ids of the next records behind `after`, in the order of their ids.
    /// Seals still hold. Returns the last record looked at; none behind the last one.
    async fn erase_audit_ids(
        &self,
        app: &AppId,
        profile: &ProfileId,
        after: Option<Uuid>,
    ) -> Result<Option<Uuid>, Error>;
}
