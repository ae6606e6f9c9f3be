//! Results of reads. Each is taken from one snapshot.

use std::sync::Arc;

use domain::bulk::Tally;
use domain::mailbox::Counts;
use domain::page::Found;
use domain::{Entry, Message, MessageId, Millis, Settings};

use crate::feed::FeedOffset;

/// Requester of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    /// Owner of the mailbox. The mailbox is created if it does not exist.
    Owner,
    /// The app. A missing mailbox reads as empty and is not created.
    App,
}

/// Message counts of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxCounts {
    /// Counts by box.
    pub counts: Counts,
    /// Feed offset of the snapshot.
    pub offset: FeedOffset,
}

/// An entry with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Record of the owner.
    pub entry: Entry,
    /// Shared part.
    pub message: Arc<Message>,
}

/// Result of a look-up by message ids, cut at a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup<T> {
    /// Results in the order of the ids, up to the byte limit.
    pub found: Vec<T>,
    /// Ids of existing messages beyond the byte limit, in the same order.
    pub remaining: Vec<MessageId>,
}

/// A bulk message and its tally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkReport {
    /// The message. Its content is empty once it has been deleted for everyone.
    pub message: Message,
    /// True if the app has deleted it.
    pub recalled: bool,
    /// Numbers of mailboxes that have taken, read and deleted it.
    pub tally: Tally,
}

/// State of an app that all of its calls depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppState {
    /// Settings that it overrides.
    pub settings: Settings,
    /// Number of its last revocation of tokens; 0 if there was none.
    pub last_revocation: i64,
    /// True if the app is being erased: its calls are refused.
    pub is_erased: bool,
}

/// A page of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxPage {
    /// Rows of the page.
    pub found: Found<Item>,
    /// Number of rows examined, those of the count included.
    pub examined: usize,
    /// Feed offset of the snapshot.
    pub offset: FeedOffset,
}

/// A page of an app's messages.
pub type RepositoryPage = Found<Message>;

/// Erasure of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureReport {
    /// Time of the last request.
    pub requested: Millis,
    /// Time at which all was done; none until then.
    pub done: Option<Millis>,
}
