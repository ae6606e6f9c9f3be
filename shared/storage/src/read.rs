//! What reads answer. Every answer comes from one snapshot.

use std::sync::Arc;

use domain::bulk::Tally;
use domain::mailbox::Counts;
use domain::page::Found;
use domain::{Entry, Message};
use uuid::Uuid;

/// Who reads a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Its owner: the mailbox begins with this, if it has not begun.
    Owner,
    /// The app: looking changes nothing.
    App,
}

/// A place in the feed of a mailbox's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The life of the database in which the number means something.
    pub epoch: Uuid,
    /// The number of the last change.
    pub seq: i64,
}

/// What the boxes of a mailbox hold, and when that was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The numbers.
    pub counts: Counts,
    /// The position at which they were true.
    pub position: Position,
}

/// An entry with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The owner's record.
    pub entry: Entry,
    /// The shared part.
    pub message: Arc<Message>,
}

/// What was found of the things that were asked for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T> {
    /// As many as fit, in the order in which they were asked for.
    pub found: Vec<T>,
    /// The ids of those that are there and did not fit, in that order.
    pub remaining: Vec<domain::MessageId>,
}

/// A message to everyone, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkReport {
    /// The message; its content is empty once it was recalled.
    pub message: Message,
    /// Whether the app has deleted it.
    pub recalled: bool,
    /// What the mailboxes that have met it did with it.
    pub tally: Tally,
}

/// A page of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxPage {
    /// The rows.
    pub found: Found<Item>,
    /// The position at which they were so.
    pub position: Position,
}

/// A page of an app's messages.
pub type RepositoryPage = Found<Message>;
