//! Ledger: the rows of one app that a batch has read and changed, in memory.
//!
//! The ledger alone counts, numbers and dates. With each change of an entry, the mailbox's
//! counters change by exactly that much, the change takes the mailbox's next `seq`, and its
//! time is not before that of the last one, unless the clock was wrong. Operations only name the changes.

mod blocks;
mod conversations;
mod entries;
mod held;
mod kept;
mod mailboxes;
mod messages;
mod not_read;
mod revocations;
mod rows;
mod send_jobs;
mod settle;
mod tracked;
mod unread;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use entries::NewEntry;
pub use held::HeldRow;
pub use not_read::NotRead;
use rows::LedgerRows;
pub use rows::{Changes, Tombstone};
use settle::Bulk;
use tracked::Tracked;
pub use unread::SenderRoom;

use crate::conversation::Conversation;
use crate::id::{ConversationId, MessageId, MessageIdSource};
use crate::mailbox::Msgbox;
use crate::message::{Envelope, Holders};
use crate::policy::{Policy, Settings};
use crate::time::{Millis, Now};
use crate::usage::UsageState;

/// Rows and changes of one app in a batch.
#[derive(Debug)]
pub struct Ledger {
    now: Now,
    ids: Arc<dyn MessageIdSource>,
    defaults: Policy,
    /// Rows that were read or added.
    rows: LedgerRows,
    /// Changes for which no row is read, such as tombstones and tallies.
    direct_changes: Changes,
    bulk: Bulk,
    /// Number of the app's last revocation.
    last_revocation: i64,
    /// Boxes that have more entries than were read of them for a [`EntryRange::Part`].
    ///
    /// [`EntryRange::Part`]: crate::operation::EntryRange::Part
    read_in_part: BTreeSet<(i64, Msgbox)>,
    /// Rows that another transaction has locked.
    held: BTreeSet<HeldRow>,
    /// Unread entries with a noted sender, by the mailbox and that of the sender.
    unread_of_senders: BTreeMap<(i64, i64), i64>,
    /// Unused mailboxes that messages of a profile have created, by its mailbox.
    unused_mailboxes: BTreeMap<i64, i64>,
    /// Expired messages that are to be forgotten.
    expired: BTreeMap<MessageId, Envelope>,
    /// Conversations that were found, and not locked.
    found_conversations: BTreeMap<ConversationId, Conversation>,
    /// Holders that were read with each message.
    holders: BTreeMap<MessageId, Holders>,
    /// True once an entry went that the batch had added.
    has_vanished: bool,
    /// Usage of the app at the start of the batch.
    usage: UsageState,
    /// Visible changes of entries so far.
    entry_changes: usize,
    /// The first change of a row that was not read.
    not_read: Option<NotRead>,
}

impl Ledger {
    /// A ledger of an app at a time, with no rows yet.
    #[must_use]
    pub fn new(
        now: Now,
        ids: Arc<dyn MessageIdSource>,
        defaults: Policy,
        settings: Settings,
    ) -> Self {
        Self {
            now,
            ids,
            defaults,
            rows: LedgerRows {
                settings: Tracked::read(settings),
                ..LedgerRows::default()
            },
            direct_changes: Changes::default(),
            bulk: Bulk::default(),
            last_revocation: 0,
            read_in_part: BTreeSet::new(),
            held: BTreeSet::new(),
            unread_of_senders: BTreeMap::new(),
            unused_mailboxes: BTreeMap::new(),
            expired: BTreeMap::new(),
            found_conversations: BTreeMap::new(),
            holders: BTreeMap::new(),
            has_vanished: false,
            usage: UsageState::Uncounted,
            entry_changes: 0,
            not_read: None,
        }
    }

    /// The time of the batch.
    #[must_use]
    pub const fn now(&self) -> Millis {
        self.now.ms
    }

    /// The time up to which things are due.
    #[must_use]
    pub const fn due(&self) -> Millis {
        self.now.due_ms
    }

    /// Number of visible changes of entries so far.
    #[must_use]
    pub const fn entry_changes(&self) -> usize {
        self.entry_changes
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.settings().over(&self.defaults)
    }

    /// Settings that the app overrides.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.rows.settings.current().cloned().unwrap_or_default()
    }

    /// Replaces the settings that the app overrides.
    pub fn set_settings(&mut self, settings: Settings) {
        self.rows.settings.set(settings);
    }

    /// Returns the rows to write.
    ///
    /// # Errors
    /// [`NotRead`] if an operation changed a row that was not read: the transaction must be
    /// rolled back.
    pub fn into_changes(mut self) -> Result<Changes, NotRead> {
        self.remove_abandoned();
        self.begin_usage();
        self.expire_vanished();
        match self.not_read {
            Some(not_read) => Err(not_read),
            None => Ok(self.rows.into_changes(self.direct_changes, self.now.ms)),
        }
    }
}

#[cfg(test)]
mod tests;
