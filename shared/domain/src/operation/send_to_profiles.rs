//! The app sends a message to a segment, whose recipients are stored already.

use bytes::Bytes;

use super::{Apply, Footprint, SegmentSent, Weight};
use crate::content::Content;
use crate::ledger::Ledger;
use crate::message::{Envelope, Message, MessageKind};
use crate::refusal::Refusal;
use crate::segment::{JobState, Recipients, Segment, SendJob};
use crate::sender::Sender;
use crate::violation::Violations;

/// A message to a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendToProfiles {
    /// Sender as readers see it.
    pub from: Sender,
    /// Stored recipients.
    pub to: Recipients,
    /// Content.
    pub content: Content,
    /// Encoded notification for the recipients' devices.
    pub notification: Option<Bytes>,
    /// Lifetime in milliseconds; none: the policy's default.
    pub lifetime_ms: Option<i64>,
}

impl Apply for SendToProfiles {
    type Outcome = SegmentSent;

    fn footprint(&self) -> Footprint {
        Footprint::of_job(self.to.job_id)
    }

    fn weight(&self) -> Weight {
        Weight::of_content(&self.content, 0)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<SegmentSent, Refusal> {
        let policy = ledger.policy();
        let mut violations = Violations::none();
        self.content
            .check_size(policy.max_content_bytes, "message.content", &mut violations);
        violations.check().map_err(Refusal::Invalid)?;
        let job_id = self.to.job_id;
        let is_filled = |job: &&SendJob| {
            job.state == JobState::Filling && job.counts.accepted == self.to.accepted
        };
        ledger
            .job(job_id)
            .filter(is_filled)
            .ok_or(Refusal::NotFound)?;

        let message_id = ledger.new_message_id();
        let lifetime_ms = self.lifetime_ms.unwrap_or(policy.default_expiry_ms);
        let (kind, from) = (MessageKind::System, self.from.clone());
        let envelope = Envelope {
            segment: Some(Segment {
                job_id,
                recipients: u32::try_from(self.to.accepted).unwrap_or(u32::MAX),
                recalled: false,
            }),
            notification: self.notification.clone(),
            ..Envelope::sent(message_id, kind, from, lifetime_ms, ledger.now())
        };
        let (send_ms, expire_ms) = (envelope.send_ms, envelope.expire_ms);
        let content = self.content.clone();
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
