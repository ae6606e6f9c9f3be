//! Messages to everyone.

use domain::bulk::{BulkEvent, MessageChange, Tally};
use domain::message::Envelope;
use domain::operation::{SendBulk, Sent};
use domain::{
    AppId, Audience, Message, MessageId, MessageIdSource, MessageKind, Outcome, Policy, Refusal,
    expiry,
};
use storage::BulkReport;

use super::write::{size, too_large};
use super::{Reference, ReferenceAction, ReferenceApp, ReferenceResult};
use domain::{Action, Millis};

impl Reference {
    /// True if an action concerns a bulk message.
    pub fn is_about_bulk(&self, app: &AppId, action: &ReferenceAction) -> bool {
        let ReferenceAction::Act(action) = action else {
            return false;
        };
        let messages = self.apps.get(app).map(|app| &app.messages);
        let is_bulk = |message_id: &MessageId| {
            let message = messages.and_then(|messages| messages.get(message_id));
            message.is_some_and(|message| message.envelope.kind == MessageKind::Bulk)
        };
        match action {
            Action::SendBulk(_) => true,
            Action::UpdateMessage(update) => is_bulk(&update.message_id),
            Action::DeleteMessage(remove) => is_bulk(&remove.message_id),
            Action::DeleteMessages(remove) => remove.message_ids().iter().any(is_bulk),
            _ => false,
        }
    }

    /// A message to everyone, and what has become of it.
    pub fn bulk(&self, app: &AppId, message_id: MessageId, now: Millis) -> Option<BulkReport> {
        let app = self.apps.get(app)?;
        let gone = app.recalled.get(&message_id);
        let message = app.messages.get(&message_id).or(gone)?;
        let envelope = &message.envelope;
        if envelope.kind != MessageKind::Bulk || envelope.expire_ms <= now {
            return None;
        }
        Some(BulkReport {
            message: message.clone(),
            recalled: gone.is_some(),
            tally: app.tallies.get(&message_id).copied().unwrap_or_default(),
        })
    }
}

impl ReferenceApp {
    pub(super) fn send_bulk(
        &mut self,
        policy: &Policy,
        send: &SendBulk,
        ids: &dyn MessageIdSource,
        now: Millis,
    ) -> ReferenceResult {
        Refusal::if_exceeded(too_large(&send.draft.content, policy))?;
        let message_id = ids.next(now);
        let send_ms = message_id.time_ms().expect("an id with a time");
        let lifetime_ms = send.draft.lifetime_ms.unwrap_or(policy.default_expiry_ms);
        let expire_ms = expiry::expire_ms(send_ms, lifetime_ms);
        let envelope = Envelope {
            message_id,
            kind: MessageKind::Bulk,
            sender: send.draft.sender.clone(),
            to: Vec::new(),
            segment: None,
            notification: None,
            version: 1,
            modified: false,
            send_ms,
            update_ms: send_ms,
            expire_ms,
            size_bytes: size(&send.draft.content),
        };
        self.happens(MessageChange::Sent, &envelope, send.audience);
        let content = send.draft.content.clone();
        self.messages
            .insert(message_id, Message { envelope, content });
        Ok(Outcome::Sent(Sent {
            message_id,
            requested: 0,
            actual: 0,
            send_ms,
            expire_ms,
        }))
    }

    pub(super) fn happens(
        &mut self,
        change: MessageChange,
        envelope: &Envelope,
        audience: Audience,
    ) {
        self.events_ever += 1;
        self.events.push(BulkEvent {
            bulk_no: self.events_ever,
            change,
            message_id: envelope.message_id,
            audience,
            expire_ms: envelope.expire_ms,
        });
    }

    pub(super) fn tally(&mut self, message_id: MessageId, add: impl FnOnce(&mut Tally)) {
        let message = self.messages.get(&message_id);
        if message.is_some_and(|message| message.envelope.kind == MessageKind::Bulk) {
            add(self.tallies.entry(message_id).or_default());
        }
    }
}
