//! Keyset pagination: requests for pages, the scans that read them, and the contexts from
//! which other pages are reached. The same for the entries of a mailbox and the messages of an
//! app.

mod context;
mod criteria;
mod fill;
mod mailbox;
mod position;
mod repository;
mod request;

use domain::page::Count;

pub use context::PageContext;
pub use mailbox::MailboxPages;
pub use repository::RepositoryPages;
pub use request::PageRequest;

/// `count` of a page that was not counted.
const NOT_COUNTED: i64 = -1;

/// Returns `count` and `count_capped` of a page.
fn counted(count: Option<Count>) -> (i64, bool) {
    count.map_or((NOT_COUNTED, false), |count| (count.matches, count.capped))
}
