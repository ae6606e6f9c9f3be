//! The port between the services and a store.
//!
//! - [`MailStore`]: operations, reads and recipient uploads, for handlers of calls.
//! - [`Maintenance`]: background work of a replica: expiry, send jobs, trimming, recounts.
//! - [`AuditLog`]: records of privileged calls, their verification and erasure.
//! - [`Lifecycle`]: readiness and shutdown.
//! - [`ChangeListener`]: notifications of committed changes.
//!
//! `storage-sql` implements all of it on `SQLite` and `PostgreSQL`; one list of conformance
//! tests runs against both.

mod audit_log;
mod budget;
mod clock;
mod erasures;
mod error;
mod feed;
mod lifecycle;
mod listener;
mod mail_store;
mod maintenance;
mod read;
mod recount;
mod upload;

pub use audit_log::{
    AuditEntry, AuditFault, AuditFilter, AuditLog, AuditPage, AuditPart, AuditPlace, AuditPosition,
    KeyUse,
};
pub use budget::{Budget, Charge, Cost, CostAccount};
pub use clock::Clock;
pub use erasures::{
    ErasureList, ErasurePart, ErasurePlace, ListedErasure, NamingPlace, RepeatedErasures,
};
pub use error::{Contention, Error, error_chain};
pub use feed::{
    Backlog, FeedChange, FeedLimits, FeedOffset, FeedPage, FeedPosition, FeedStart, MailboxKey,
    ResyncReason,
};
pub use lifecycle::{Lifecycle, Store};
pub use listener::{Arrival, ChangeListener, MailboxHead, NoListener};
pub use mail_store::MailStore;
pub use maintenance::{MailboxStatus, Maintenance};
pub use read::{
    AppState, BulkReport, ErasureReport, Item, Lookup, MailboxCounts, MailboxPage, RepositoryPage,
    Requester,
};
pub use recount::{Drift, KeptRecount, RecountReport};
pub use upload::RecipientUpload;
