//! A send job takes its next step: one chunk of its segment gets the message or its last
//! change, in one transaction.

use super::{Apply, EntryRange, Footprint, Weight, create_mailbox};
use crate::bulk::MessageChange;
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::message::Holders;
use crate::refusal::Refusal;
use crate::segment::{JobId, SendJob, Step};

/// Step of a send job: delivers to one chunk, or changes its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverChunk {
    /// The job.
    pub job_id: JobId,
    /// Message of the job.
    pub message_id: MessageId,
    /// Next step of the job when its chunk was read.
    pub step: Step,
    /// Recipients of the chunk.
    pub to: Vec<ProfileId>,
}

impl Apply for DeliverChunk {
    /// 1 if the step was taken; 0 if another replica had taken it before.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        let mut footprint = Footprint {
            messages: [(self.message_id, Holders::None)].into(),
            mailboxes: self.to.iter().cloned().collect(),
            new_unread: 1,
            ..Footprint::of_job(self.job_id)
        };
        if self.step.change != MessageChange::Sent {
            let held = |owner: &ProfileId| {
                EntryRange::Named(owner.clone(), Msgbox::Inbox, vec![self.message_id])
            };
            footprint.entries = self.to.iter().map(held).collect();
        }
        footprint
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.to.len())
    }

    fn lane_key(&self) -> Option<&ProfileId> {
        self.to.first()
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let job = ledger.job(self.job_id);
        if job.and_then(SendJob::next_step) != Some(self.step) {
            return Ok(0);
        }
        let exists = ledger.message(self.message_id).is_some();
        match self.step.change {
            MessageChange::Sent if exists => self.deliver(ledger),
            MessageChange::Updated if exists => {
                for owner in &self.to {
                    ledger.take_update(owner, self.message_id);
                }
                ledger.change_job(self.job_id, SendJob::take_change);
            }
            MessageChange::Recalled => {
                for owner in &self.to {
                    ledger.take_recall(owner, self.message_id);
                }
                ledger.change_job(self.job_id, SendJob::take_change);
            }
            // The message has expired, and its entries with it.
            MessageChange::Sent | MessageChange::Updated => {
                ledger.change_job(self.job_id, SendJob::end);
            }
        }
        let now = ledger.now();
        let taken = ledger.change_job(self.job_id, |job| job.step_ms = job.step_time(now));
        Ok(u32::from(taken))
    }
}

impl DeliverChunk {
    fn deliver(&self, ledger: &mut Ledger) {
        let policy = ledger.policy();
        let room = policy.inbox_room(true);
        let (mut delivered, mut full) = (0, 0);
        for owner in &self.to {
            let is_kept = create_mailbox::check_new(ledger, &policy, owner).is_ok();
            if is_kept && ledger.take_message(owner, self.message_id, room) {
                ledger.know(owner);
                delivered += 1;
            } else {
                full += 1;
            }
        }
        ledger.change_job(self.job_id, |job| job.deliver(delivered, full));
    }
}
