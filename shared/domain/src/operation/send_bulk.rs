//! The app sends a message to everyone, by one row.

use super::{Apply, Footprint, Sent, Weight};
use crate::bulk::Audience;
use crate::content::Content;
use crate::ledger::Ledger;
use crate::limits::BATCH_ENTRIES_MAX;
use crate::message::{Envelope, Message, MessageKind};
use crate::refusal::Refusal;
use crate::sender::Sender;
use crate::violation::Violations;

/// A message to everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBulk {
    /// Sender as readers see it.
    pub from: Sender,
    /// Content.
    pub content: Content,
    /// Mailboxes that get it.
    pub audience: Audience,
    /// Lifetime in milliseconds; none: the policy's default.
    pub lifetime_ms: Option<i64>,
}

impl Apply for SendBulk {
    type Outcome = Sent;

    fn footprint(&self) -> Footprint {
        Footprint {
            app: true,
            ..Footprint::default()
        }
    }

    /// More than fits beside others: later operations of its batch would not see the message.
    fn weight(&self) -> Weight {
        Weight::of_content(&self.content, BATCH_ENTRIES_MAX + 1)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<Sent, Refusal> {
        let policy = ledger.policy();
        let mut violations = Violations::none();
        self.content
            .check_size(policy.max_content_bytes, "content", &mut violations);
        violations.check().map_err(Refusal::Invalid)?;

        let message_id = ledger.new_message_id();
        let lifetime_ms = self.lifetime_ms.unwrap_or(policy.default_expiry_ms);
        let (kind, from) = (MessageKind::Bulk, self.from.clone());
        let envelope = Envelope::sent(message_id, kind, from, lifetime_ms, ledger.now());
        let (send_ms, expire_ms) = (envelope.send_ms, envelope.expire_ms);
        let content = self.content.clone();
        ledger.add_bulk(Message { envelope, content }, self.audience);
        Ok(Sent {
            message_id,
            requested: 0,
            actual: 0,
            send_ms,
            expire_ms,
        })
    }
}
