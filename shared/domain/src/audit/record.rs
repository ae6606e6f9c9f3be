//! Records of the audit log, and the ends of its chain.

use uuid::Uuid;

use super::call::AuditKind;
use super::key::{Mac, NO_MAC};
use crate::time::Millis;

/// Record of an audited call, but for the ids that it touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Id of the record.
    pub record_id: Uuid,
    /// Time of the transaction.
    pub time: Millis,
    /// Kind of the call.
    pub kind: AuditKind,
    /// Full name of the method.
    pub method: String,
    /// Number of inboxes, messages or settings that were changed, or of messages that were shown.
    pub affected: i64,
    /// Issuer of the caller's token.
    pub issuer: String,
    /// Id of the key that signed the token.
    pub key_id: Option<String>,
    /// Id of the call. A call of several transactions has a record of each.
    pub call_id: Uuid,
    /// Keyed hash of the request.
    pub request_hash: [u8; 32],
    /// Number of ids that were touched, also of those beyond the maximum.
    pub id_count: i64,
    /// Commitment to the ids that stand beside the record.
    pub ids_root: [u8; 32],
}

/// A numbered record of a chain, by its number and MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditLink {
    /// Number of the record, from 1.
    pub no: i64,
    /// MAC over the record and all before it.
    pub mac: Mac,
}

impl AuditLink {
    /// The beginning of a chain, before its first record.
    pub const START: Self = Self { no: 0, mac: NO_MAC };
}

/// Ends of an app's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The last record.
    pub last: AuditLink,
    /// The last record that was trimmed; the first one that is kept follows it.
    pub anchor: AuditLink,
}

impl AuditHead {
    /// The head of a chain without records.
    pub const EMPTY: Self = Self {
        last: AuditLink::START,
        anchor: AuditLink::START,
    };
}
