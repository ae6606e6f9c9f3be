//! A chunk of a segment has its turn: its recipients take the message, or what has become of
//! it, all in one transaction.

use super::{EntryRange, Footprint};
use crate::bulk::Turn;
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::segment::{JobId, SendJob, Step};

/// One step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// Which job.
    pub job_id: JobId,
    /// Its message.
    pub message_id: MessageId,
    /// The step that was its next when the chunk was read.
    pub step: Step,
    /// The recipients of the chunk.
    pub to: Vec<ProfileId>,
}

impl Advance {
    pub(super) fn footprint(&self) -> Footprint {
        let mut footprint = Footprint {
            messages: [self.message_id].into(),
            mailboxes: self.to.iter().cloned().collect(),
            ..Footprint::of_job(self.job_id)
        };
        if self.step.turn != Turn::Sent {
            let held = |owner: &ProfileId| {
                EntryRange::Named(owner.clone(), Msgbox::Inbox, vec![self.message_id])
            };
            footprint.entries = self.to.iter().map(held).collect();
        }
        footprint
    }

    /// Whether it was taken: somebody else may have taken it before.
    pub(super) fn apply(&self, ledger: &mut Ledger) -> bool {
        let job = ledger.job(self.job_id);
        if job.and_then(SendJob::next_step) != Some(self.step) {
            return false;
        }
        let is_there = ledger.message(self.message_id).is_some();
        match self.step.turn {
            Turn::Sent if is_there => self.deliver(ledger),
            Turn::Updated if is_there => {
                for owner in &self.to {
                    ledger.take_update(owner, self.message_id);
                }
                ledger.change_job(self.job_id, SendJob::take_change);
            }
            Turn::Recalled => {
                for owner in &self.to {
                    ledger.take_recall(owner, self.message_id);
                }
                ledger.change_job(self.job_id, SendJob::take_change);
            }
            // It has expired, and so have the entries.
            Turn::Sent | Turn::Updated => {
                ledger.change_job(self.job_id, SendJob::end);
            }
        }
        let now = ledger.now();
        ledger.change_job(self.job_id, |job| job.step_ms = job.step_time(now))
    }

    fn deliver(&self, ledger: &mut Ledger) {
        let room = i64::from(ledger.policy().max_box_messages);
        let (mut delivered, mut full) = (0, 0);
        for owner in &self.to {
            if ledger.take_message(owner, self.message_id, room) {
                delivered += 1;
            } else {
                full += 1;
            }
        }
        ledger.change_job(self.job_id, |job| job.deliver(delivered, full));
    }
}
