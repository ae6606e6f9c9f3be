//! The rules of Postroom, as pure code: identifiers, content, messages, entries,
//! policy, and every change of a mailbox as a pure function over a [`ledger::Ledger`].
//!
//! Nothing here is async, reads a clock or does I/O. A change reads top to bottom in the
//! file of its [`operation`]; the promises about counters, order and versions are kept in
//! one place, the ledger.

pub mod audit;
pub mod block;
pub mod bulk;
pub mod content;
pub mod conversation;
pub mod entry;
pub mod erasure;
pub mod expiry;
pub mod id;
pub mod ledger;
pub mod limits;
pub mod mailbox;
pub mod message;
pub mod notification;
pub mod number;
pub mod operation;
pub mod page;
pub mod policy;
pub mod quota;
pub mod rate;
pub mod refusal;
pub mod request;
pub mod revocation;
pub mod segment;
pub mod sender;
pub mod text;
pub mod time;
pub mod usage;
pub mod violation;

#[cfg(test)]
mod testing;

pub use block::Block;
pub use bulk::Audience;
pub use content::{Content, ContentKind, Digest};
pub use conversation::{Conversation, Metadata};
pub use entry::Entry;
pub use erasure::{AppErasure, ErasureKey, ErasurePhase};
pub use id::{AppId, ConversationId, MessageId, MessageIdSource, ProfileId};
pub use ledger::Ledger;
pub use mailbox::{Mailbox, Msgbox};
pub use message::{Draft, Message, MessageKind};
pub use operation::{Action, Operation, Outcome};
pub use policy::{Policy, PolicyCeiling, Settings};
pub use quota::{KeptQuota, QuotaOverrides, Quotas, RateOverride};
pub use rate::Rate;
pub use refusal::{LimitExceeded, Refusal};
pub use request::RequestId;
pub use revocation::Revocation;
pub use sender::Sender;
pub use time::{Millis, Now};
pub use usage::{AppUsage, UsageState};
pub use violation::{Reason, Violation, Violations};
