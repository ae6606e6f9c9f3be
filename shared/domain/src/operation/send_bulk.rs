//! The app sends a message to everyone, by one row.

use super::{Footprint, Sent};
use crate::bulk::Audience;
use crate::content::Content;
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::message::{Envelope, Message, MessageKind};
use crate::refusal::Refusal;
use crate::sender::Sender;
use crate::violation::Violations;

/// A message to everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBulk {
    /// Who it is from, as its readers see it.
    pub from: Sender,
    /// What it says.
    pub content: Content,
    /// Who gets it.
    pub audience: Audience,
    /// Milliseconds that it lives; none: as long as the policy says.
    pub lifetime_ms: Option<i64>,
}

impl SendBulk {
    pub(super) fn footprint() -> Footprint {
        Footprint {
            app: true,
            ..Footprint::default()
        }
    }

    pub(super) fn apply(
        &self,
        ledger: &mut Ledger,
        message_id: MessageId,
    ) -> Result<Sent, Refusal> {
        let policy = ledger.policy();
        let mut violations = Violations::none();
        self.content
            .check_size(policy.max_content_bytes, "content", &mut violations);
        violations.check().map_err(Refusal::Invalid)?;

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
