//! The port: what Postroom needs of a store, and what it may rely on.
//!
//! [`MailStore`] is the contract. It knows no SQL and no gRPC; `storage-sql` fulfils it
//! twice, and one list of conformance tests checks both.

mod audit;
mod clock;
mod error;
mod feed;
mod intake;
mod read;
mod store;
mod wake;

pub use audit::{Audit, Drift};
pub use clock::Clock;
pub use error::Error;
pub use feed::{Bookmark, Broken, Change, Feed, FeedPart, MailboxKey, Since, Stretch};
pub use intake::Intake;
pub use read::{BulkReport, Counted, Item, Items, MailboxPage, Position, Reader, RepositoryPage};
pub use store::MailStore;
pub use wake::{Arrival, Head, Look, Nobody, Wake};
