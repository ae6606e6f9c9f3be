//! The copy of a mailbox that a client keeps.

use std::collections::{BTreeMap, BTreeSet};

use proto::v1;

/// Box and message id of an entry.
pub type CopyKey = (String, String);

/// Copy of a mailbox.
#[derive(Debug, Default)]
pub struct MailboxCopy {
    entries: BTreeMap<CopyKey, v1::MsgboxEntry>,
    /// Entries that were mentioned since the client began to read everything.
    mentioned: BTreeSet<CopyKey>,
}

impl MailboxCopy {
    /// Begins to read everything.
    pub fn begin(&mut self) {
        self.mentioned.clear();
    }

    /// Puts an entry over the one that is there.
    pub fn put(&mut self, entry: v1::MsgboxEntry) {
        let (key, entry) = keyed(entry);
        self.entries.insert(key, entry);
    }

    /// Puts an entry over the one that is there, and notes that it was mentioned.
    pub fn mention(&mut self, entry: v1::MsgboxEntry) {
        let (key, entry) = keyed(entry);
        self.mentioned.insert(key.clone());
        self.entries.insert(key, entry);
    }

    /// Drops what is deleted, if it is there.
    pub fn drop_deleted(&mut self, gone: v1::MessageDeleted) {
        self.entries.remove(&(gone.msgbox, gone.message_id));
    }

    /// Drops what was not mentioned, once everything was read.
    pub fn end(&mut self) {
        self.entries.retain(|key, _| self.mentioned.contains(key));
    }

    /// The entries, without the time of their delivery, which is no change.
    pub const fn entries(&self) -> &BTreeMap<CopyKey, v1::MsgboxEntry> {
        &self.entries
    }
}

impl FromIterator<v1::MsgboxEntry> for MailboxCopy {
    fn from_iter<T: IntoIterator<Item = v1::MsgboxEntry>>(entries: T) -> Self {
        Self {
            entries: entries.into_iter().map(keyed).collect(),
            ..Self::default()
        }
    }
}

fn keyed(entry: v1::MsgboxEntry) -> (CopyKey, v1::MsgboxEntry) {
    let key = (entry.msgbox.clone(), entry.message_id.clone());
    let entry = v1::MsgboxEntry {
        delivered_time: None,
        ..entry
    };
    (key, entry)
}
