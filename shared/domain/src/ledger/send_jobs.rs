//! Send jobs of a ledger, and the changes of a recipient's entries when its chunk is delivered.

use super::tracked::Tracked;
use super::{Ledger, NewEntry};
use crate::id::{MessageId, ProfileId};
use crate::mailbox::{Mailbox, Msgbox};
use crate::segment::{JobId, SendJob};

impl Ledger {
    /// Adds a job that was read.
    pub fn read_job(&mut self, job: SendJob) {
        self.rows.jobs.insert(job.job_id, Tracked::read(job));
    }

    /// A job that was read.
    #[must_use]
    pub fn job(&self, job_id: JobId) -> Option<&SendJob> {
        self.rows.jobs.get(&job_id)?.current()
    }

    /// Changes a job that was read. False if it was not.
    pub fn change_job(&mut self, job_id: JobId, change: impl FnOnce(&mut SendJob)) -> bool {
        let job = self.rows.jobs.get_mut(&job_id).and_then(Tracked::change);
        job.map(change).is_some()
    }

    /// Adds the current version of a message to an inbox of fewer than `room` entries. False if
    /// the inbox is full.
    pub fn take_message(&mut self, owner: &ProfileId, message_id: MessageId, room: i64) -> bool {
        let has_room = |mailbox: &Mailbox| mailbox.counts.inbox_total < room;
        if !self.has_read(owner) {
            return false;
        }
        let Some(message) = self.message(message_id) else {
            return false;
        };
        let new = NewEntry {
            msgbox: Msgbox::Inbox,
            message_id,
            content_version: message.version,
            expire_ms: message.expire_ms,
            sender_id: None,
        };
        self.mailbox(owner).is_some_and(has_room) && self.add_entry(owner, new)
    }

    /// Shows a recipient the current version of a message, if its entry shows an earlier one.
    pub fn take_update(&mut self, owner: &ProfileId, message_id: MessageId) {
        if let Some(version) = self.message(message_id).map(|message| message.version) {
            self.show_version(owner, message_id, version);
        }
    }

    /// Removes a recipient's entry of a recalled message.
    pub fn take_recall(&mut self, owner: &ProfileId, message_id: MessageId) {
        self.drop_entry(owner, Msgbox::Inbox, message_id);
    }
}
