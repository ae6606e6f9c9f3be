//! Messages to segments: what a chunk takes when it has its turn.

use super::tracked::Tracked;
use super::{Ledger, NewEntry};
use crate::id::{MessageId, ProfileId};
use crate::mailbox::{Mailbox, Msgbox};
use crate::segment::{JobId, SendJob};

impl Ledger {
    /// Takes a job that was read.
    pub fn read_job(&mut self, job: SendJob) {
        self.jobs.insert(job.job_id, Tracked::read(job));
    }

    /// A job that was read.
    #[must_use]
    pub fn job(&self, job_id: JobId) -> Option<&SendJob> {
        self.jobs.get(&job_id)?.current()
    }

    /// Changes a job that was read. False if it was not.
    pub fn change_job(&mut self, job_id: JobId, change: impl FnOnce(&mut SendJob)) -> bool {
        let job = self.jobs.get_mut(&job_id).and_then(Tracked::change);
        job.map(change).is_some()
    }

    /// A recipient takes a message as it is now, unless the inbox holds as many as that.
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
        };
        self.mailbox(owner).is_some_and(has_room) && self.add_entry(owner, new)
    }

    /// A recipient takes what a message says now, if the own entry is of an earlier version.
    pub fn take_update(&mut self, owner: &ProfileId, message_id: MessageId) {
        if let Some(version) = self.message(message_id).map(|message| message.version) {
            self.show_version(owner, message_id, version);
        }
    }

    /// A recipient's entry of a message goes with it.
    pub fn take_recall(&mut self, owner: &ProfileId, message_id: MessageId) {
        self.lose_entry(owner, Msgbox::Inbox, message_id);
    }
}
