//! Tally of outcomes: proof that a run contains each kind of action and outcome.

use std::collections::BTreeMap;

use domain::{Action, Outcome, Refusal};

use super::reference::ReferenceAction;

/// Minimum number of each kind of outcome.
pub const OFTEN: u64 = 5;

/// Number of outcomes by kind of action and kind of outcome.
#[derive(Debug, Default)]
pub struct OutcomeTally(BTreeMap<(&'static str, &'static str), u64>);

impl OutcomeTally {
    pub fn add(&mut self, action: &ReferenceAction, verdict: &Result<Outcome, Refusal>) {
        *self.0.entry((kind(action), result(verdict))).or_insert(0) += 1;
    }

    pub fn assert_not_blind(&self) {
        for expected in [
            ("send", "done"),
            ("send", "invalid"),
            ("send", "not allowed"),
            ("send", "box full"),
            ("send", "recipients unknown"),
            ("send", "request id reused"),
            ("send bulk", "done"),
            ("send bulk", "invalid"),
            ("mark", "changed"),
            ("delete", "changed"),
            ("clear", "changed"),
            ("recall", "changed"),
            ("recall", "unchanged"),
            ("recall", "not allowed"),
            ("edit", "done"),
            ("edit", "invalid"),
            ("edit", "not allowed"),
            ("edit", "not found"),
            ("edit", "version mismatch"),
            ("update", "done"),
            ("update", "version mismatch"),
            ("remove one", "done"),
            ("remove one", "not found"),
            ("remove one", "version mismatch"),
            ("remove", "changed"),
            ("configure", "done"),
            ("configure", "version mismatch"),
            ("block", "done"),
            ("unblock", "done"),
        ] {
            let times = self.0.get(&expected).copied().unwrap_or(0);
            assert!(
                times >= OFTEN,
                "{expected:?} only {times} times: {:#?}",
                self.0
            );
        }
    }
}

const fn kind(action: &ReferenceAction) -> &'static str {
    match action {
        ReferenceAction::Send(_) | ReferenceAction::Act(Action::SendMessage(_)) => "send",
        ReferenceAction::Act(Action::CreateMailbox(_)) => "open",
        ReferenceAction::Act(Action::SettleMailbox(_)) => "settle",
        ReferenceAction::Act(Action::SendBulk(_)) => "send bulk",
        ReferenceAction::Act(Action::SendToProfiles(_)) => "launch",
        ReferenceAction::Act(Action::DeliverChunk(_)) => "advance",
        ReferenceAction::Act(Action::CancelSendJob(_)) => "stop job",
        ReferenceAction::Act(Action::MarkMessagesRead(_)) => "mark",
        ReferenceAction::Act(Action::MarkMessagesDelivered(_)) => "mark delivered",
        ReferenceAction::Act(Action::DeleteEntries(_)) => "delete",
        ReferenceAction::Act(Action::ClearMessages(_)) => "clear",
        ReferenceAction::Act(Action::DeleteForEveryone(_)) => "recall",
        ReferenceAction::Act(Action::EditMessage(_)) => "edit",
        ReferenceAction::Act(Action::UpdateMessage(_)) => "update",
        ReferenceAction::Act(Action::DeleteMessage(_)) => "remove one",
        ReferenceAction::Act(Action::DeleteMessages(_)) => "remove",
        ReferenceAction::Act(Action::BlockProfile(_)) => "block",
        ReferenceAction::Act(Action::UnblockProfile(_)) => "unblock",
        ReferenceAction::Act(
            Action::CreateConversation(_)
            | Action::ChangeParticipants(_)
            | Action::LeaveConversation(_)
            | Action::UpdateConversationMetadata(_),
        ) => "converse",
        ReferenceAction::Act(Action::ExpireOrphans(_)) => "expire orphans",
        ReferenceAction::Act(Action::ExpireMessages(_)) => "expire",
        ReferenceAction::Act(Action::TrimTombstones(_)) => "trim",
        ReferenceAction::Act(Action::UpdateAppSettings(_)) => "configure",
        ReferenceAction::Act(Action::RevokeTokens(_)) => "revoke",
        ReferenceAction::Act(Action::EraseApp(_)) => "erase app",
        ReferenceAction::Act(Action::EraseProfile(_)) => "erase",
        ReferenceAction::Act(Action::ForgetRecipient(_)) => "forget",
        ReferenceAction::Act(Action::DeleteMailbox(_)) => "delete mailbox",
        ReferenceAction::Act(Action::RecordRead(_)) => "record",
    }
}

const fn result(verdict: &Result<Outcome, Refusal>) -> &'static str {
    match verdict {
        Ok(Outcome::Changed(0)) => "unchanged",
        Ok(Outcome::Changed(_)) => "changed",
        Ok(_) => "done",
        Err(Refusal::LimitsExceeded(_)) => "invalid",
        Err(Refusal::NotFound) => "not found",
        Err(Refusal::VersionMismatch { .. }) => "version mismatch",
        Err(Refusal::NotAllowed) => "not allowed",
        Err(Refusal::RequestIdReused) => "request id reused",
        Err(Refusal::BoxFull) => "box full",
        Err(Refusal::TooMuchKept(_)) => "too much kept",
        Err(Refusal::RecipientsUnknown) => "recipients unknown",
        Err(Refusal::TooManyBulk) => "too many bulk messages",
        Err(Refusal::TooManyBlocks) => "too many blocks",
        Err(
            Refusal::ConversationNotFound
            | Refusal::ConversationIdInUse
            | Refusal::ConversationVersionMismatch { .. }
            | Refusal::ProfileBlocked
            | Refusal::ConversationsFull
            | Refusal::TooFewParticipants,
        ) => "of a conversation",
    }
}
