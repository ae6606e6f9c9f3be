//! The app sends a message to everyone, by one row.

use super::{Apply, Footprint, Sent, Weight};
use crate::bulk::Audience;
use crate::ledger::Ledger;
use crate::limits::{BATCH_ENTRIES_MAX, LIVE_BULK_MAX};
use crate::message::{Draft, Message, MessageKind};
use crate::refusal::Refusal;

/// A message to everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBulk {
    /// Message to send.
    pub draft: Draft,
    /// Mailboxes that get it.
    pub audience: Audience,
}

impl Apply for SendBulk {
    type Outcome = Sent;

    fn footprint(&self) -> Footprint {
        Footprint {
            app: true,
            live_bulk: true,
            ..Footprint::default()
        }
    }

    /// More than fits beside others: later operations of its batch would not see the message.
    fn weight(&self) -> Weight {
        Weight::of_content(&self.draft.content, BATCH_ENTRIES_MAX + 1)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<Sent, Refusal> {
        let policy = ledger.policy();
        self.draft.check(&policy)?;
        ledger.check_usage(&policy, self.draft.usage())?;
        if ledger.live_bulk() >= LIVE_BULK_MAX {
            return Err(Refusal::TooManyBulk);
        }
        let envelope = ledger.new_envelope(&self.draft, MessageKind::Bulk);
        let sent = Sent {
            message_id: envelope.message_id,
            requested: 0,
            actual: 0,
            send_ms: envelope.send_ms,
            expire_ms: envelope.expire_ms,
        };
        let content = self.draft.content.clone();
        ledger.add_bulk(Message { envelope, content }, self.audience);
        Ok(sent)
    }
}
