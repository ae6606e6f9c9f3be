//! Audit: records of the calls of an app's own servers.
//!
//! A record is sealed when it is written, and numbered and chained afterwards, both by MACs whose
//! key the database does not have. The ids that a call touched stand beside its record, which has a
//! salted commitment to each: they can be erased, and the seals still hold.

mod call;
mod ids;
mod key;
mod record;

pub use call::{AuditKind, AuditedCall, RequestHasher};
pub use ids::{AuditId, AuditIds};
pub use key::{AuditKey, Mac, NO_MAC};
pub use record::{AuditHead, AuditLink, AuditRecord};
