//! Pages: what a caller asked for, the scan that finds it, and the context that leads on
//! from there. One way for the entries of a mailbox and for the messages of an app.

mod asked;
mod criteria;
mod mailbox;
mod position;
mod repository;
mod step;

use domain::page::Count;

pub use asked::PageContext;
pub use mailbox::Mailbox;
pub use repository::Repository;
pub use step::Step;

/// `count` of a page that was not counted.
const NOT_COUNTED: i64 = -1;

/// `count` and `count_capped` of a page.
fn counted(count: Option<Count>) -> (i64, bool) {
    count.map_or((NOT_COUNTED, false), |count| (count.matches, count.capped))
}
