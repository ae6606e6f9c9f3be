//! Reads: each file holds the statements of one read, beside the function that runs them.
//!
//! Pages are read by keyset pagination: a page starts at the key of a row, found by an index
//! seek, and never at a row number; see [`scan`].

pub mod app_state;
pub mod blocks;
pub mod bulk;
pub mod changes;
pub mod conversations;
pub mod counts;
pub mod entries;
pub mod erasure;
pub mod items;
pub mod job;
pub mod mailbox_page;
pub mod messages;
pub mod repository_page;
pub mod revocation;
mod scan;
pub mod statuses;

use domain::page::{Count, Found, Scan};

use crate::table::mailbox::MailboxReadiness;

/// The outcome of a read of a mailbox.
pub enum ReadOutcome<T> {
    /// The mailbox does not exist.
    Missing,
    /// The mailbox must be settled first.
    Due,
    /// The result of the read.
    Ready(T),
    /// The result of the read of a mailbox that its owner has never used.
    Unused(T),
}

impl<T> ReadOutcome<T> {
    /// The outcome of a read of a mailbox that is not due.
    pub fn of(state: MailboxReadiness, result: T) -> Self {
        match state {
            MailboxReadiness::Unused => Self::Unused(result),
            MailboxReadiness::Ready | MailboxReadiness::Due => Self::Ready(result),
        }
    }
}

/// The result of a scan of a mailbox that does not exist.
pub fn empty<T>(scan: &Scan) -> Found<T> {
    let is_known = scan.count || scan.criteria.is_box_only();
    Found {
        items: Vec::new(),
        more: false,
        reached: None,
        count: is_known.then_some(Count {
            matches: 0,
            capped: false,
        }),
    }
}
