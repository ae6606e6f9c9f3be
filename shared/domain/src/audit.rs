//! Audit: records of the calls of an app's own servers.
//!
//! A record is sealed when it is written, and numbered and chained afterwards, both by MACs whose
//! key the database does not have. The ids that a call touched stand beside its record, which has a
//! salted commitment to each: they can be erased, and the seals still hold.
//!
//! The key can be replaced: from then on the new one seals records, links and the head of a chain. A
//! link covers all before it, so the head's seal protects what earlier keys have sealed.

mod call;
mod ids;
mod key;
mod record;

pub use call::{AuditKind, AuditedCall, RequestHasher};
pub use ids::{AuditId, AuditIds};
pub use key::{AuditKey, AuditKeyId, Mac, NO_MAC};
pub use record::{AuditHead, AuditLink, AuditRecord};
