//! The app sends a message to a segment, whose recipients are stored already.

use super::{Apply, Footprint, SegmentSent, Weight};
use crate::ledger::Ledger;
use crate::message::{Draft, Envelope, Message, MessageKind};
use crate::number::saturating;
use crate::refusal::Refusal;
use crate::segment::{JobState, Recipients, Segment, SendJob};

/// A message to a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendToProfiles {
    /// Message to send.
    pub draft: Draft,
    /// Stored recipients.
    pub to: Recipients,
}

impl Apply for SendToProfiles {
    type Outcome = SegmentSent;

    fn footprint(&self) -> Footprint {
        Footprint::of_job(self.to.job_id)
    }

    fn weight(&self) -> Weight {
        Weight::of_content(&self.draft.content, 0)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<SegmentSent, Refusal> {
        let policy = ledger.policy();
        self.draft.check(&policy)?;
        ledger.check_usage(&policy, self.draft.usage())?;
        let job_id = self.to.job_id;
        let is_filled = |job: &&SendJob| {
            job.state == JobState::Filling && job.counts.accepted == self.to.accepted
        };
        ledger
            .job(job_id)
            .filter(is_filled)
            .ok_or(Refusal::NotFound)?;

        let envelope = Envelope {
            segment: Some(Segment {
                job_id,
                recipients: saturating(self.to.accepted),
                recalled: false,
            }),
            ..ledger.new_envelope(&self.draft, MessageKind::System)
        };
        let Envelope {
            message_id,
            send_ms,
            expire_ms,
            ..
        } = envelope;
        let content = self.draft.content.clone();
        ledger.add_message(Message { envelope, content });
        let now = ledger.now();
        ledger.change_job(job_id, |job| job.start(message_id, expire_ms, now));
        Ok(SegmentSent {
            job_id,
            message_id,
            accepted: self.to.accepted,
            duplicates: self.to.duplicates,
            send_ms,
            expire_ms,
        })
    }
}
