//! Group commit: operations are gathered in lanes, and each batch is one transaction.

mod audit;
mod claims;
mod commit;
mod conversations;
mod entries;
pub mod executor;
mod idempotency;
pub mod lanes;
mod lock;
pub mod operation;
mod post_commit;
mod senders;
mod settle;
