//! A sender or a recipient deletes messages from the boxes of all holders.

use super::deletion_part::DeletionPart;
use super::{Action, Apply, EntryRange, Footprint, Outcome, Weight};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::message::{Envelope, MessageKind};
use crate::policy::Policy;
use crate::refusal::Refusal;

/// Deletes messages for everyone, in parts: all that the caller can see, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteForEveryone {
    /// The calling profile.
    pub owner: ProfileId,
    /// Role of the caller: `sent` for the sender, `inbox` for a recipient.
    pub msgbox: Msgbox,
    part: DeletionPart,
}

impl DeleteForEveryone {
    /// Deletes messages, which are distinct.
    #[must_use]
    pub fn new(owner: ProfileId, msgbox: Msgbox, message_ids: Vec<MessageId>) -> Self {
        Self {
            owner,
            msgbox,
            part: DeletionPart::first(message_ids),
        }
    }

    /// Messages to delete.
    #[must_use]
    pub fn message_ids(&self) -> &[MessageId] {
        self.part.message_ids()
    }
}

impl Apply for DeleteForEveryone {
    /// Number of deleted messages.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        let ids = self.message_ids().to_vec();
        let own = EntryRange::Named(self.owner.clone(), Msgbox::Inbox, ids);
        let mut footprint = Footprint::of_owner(&self.owner, own);
        footprint.merge(self.part.footprint());
        footprint.claimant = Some(self.owner.clone());
        footprint
    }

    fn weight(&self) -> Weight {
        self.part.weight()
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let policy = ledger.policy();
        let messages = self.message_ids().iter();
        let mut visible = messages
            .filter_map(|&message_id| ledger.message(message_id))
            .filter(|message| self.can_see(ledger, message));
        if !visible.all(|message| self.may_delete(message, &policy)) {
            return Err(Refusal::NotAllowed);
        }
        let is_visible = |ledger: &Ledger, message_id| {
            let message = ledger.message(message_id);
            message.is_some_and(|message| self.can_see(ledger, message))
        };
        Ok(self.part.apply(ledger, is_visible))
    }

    fn rest(&self, ledger: &Ledger, done: &Outcome) -> Option<Action> {
        let Outcome::Changed(deleted) = *done else {
            return None;
        };
        let rest = Self {
            part: self.part.rest(ledger, deleted)?,
            ..self.clone()
        };
        Some(rest.into())
    }
}

impl DeleteForEveryone {
    /// A sender stays the sender after deleting the own copy; a recipient without a copy
    /// cannot see the message.
    fn can_see(&self, ledger: &Ledger, message: &Envelope) -> bool {
        match self.msgbox {
            Msgbox::Sent => message.is_from(&self.owner),
            Msgbox::Inbox => ledger
                .entry(&self.owner, Msgbox::Inbox, message.message_id)
                .is_some(),
        }
    }

    fn may_delete(&self, message: &Envelope, policy: &Policy) -> bool {
        let allowed = match self.msgbox {
            Msgbox::Sent => policy.allow_delete_for_everyone,
            Msgbox::Inbox => policy.recipients_may_delete_for_everyone,
        };
        allowed && message.kind == MessageKind::Regular
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{DeleteEntries, NamedEntries};
    use crate::testing::{MemoryStore, from_app, from_user, profile, sent_at};

    fn recall<const N: usize>(owner: &str, msgbox: Msgbox, ids: [MessageId; N]) -> Action {
        DeleteForEveryone::new(profile(owner), msgbox, ids.into()).into()
    }

    fn delete(owner: &str, msgbox: Msgbox, message_id: MessageId) -> Action {
        Action::DeleteEntries(DeleteEntries(NamedEntries::new(
            profile(owner),
            msgbox,
            vec![message_id],
        )))
    }

    /// Three people; recipients may recall too.
    fn store() -> (MemoryStore, MessageId) {
        let mut store = MemoryStore::of(["ann", "bob", "cid"]);
        store.policy.recipients_may_delete_for_everyone = true;
        let sent = store.send(10, from_user("ann", ["bob", "cid"]));
        (store, sent)
    }

    fn is_gone(store: &MemoryStore) -> bool {
        store.messages.is_empty() && store.entries.is_empty()
    }

    #[test]
    fn a_sender_recalls_also_without_the_own_copy() {
        let (mut store, sent) = store();
        let own = delete("ann", Msgbox::Sent, sent);
        assert_eq!(store.execute(20, own), Ok(Outcome::Changed(1)));
        let verdict = store.execute(30, recall("ann", Msgbox::Sent, [sent]));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
        assert!(is_gone(&store));
    }

    #[test]
    fn a_recipient_recalls_only_with_a_copy() {
        let (mut store, sent) = store();
        let own = delete("bob", Msgbox::Inbox, sent);
        assert_eq!(store.execute(20, own), Ok(Outcome::Changed(1)));
        let verdict = store.execute(30, recall("bob", Msgbox::Inbox, [sent]));
        assert_eq!(verdict, Ok(Outcome::Changed(0)));
        let verdict = store.execute(40, recall("cid", Msgbox::Inbox, [sent]));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
        assert!(is_gone(&store));
    }

    #[test]
    fn the_callers_role_must_match_the_message() {
        let (mut store, sent) = store();
        for (owner, msgbox) in [("ann", Msgbox::Inbox), ("bob", Msgbox::Sent)] {
            let verdict = store.execute(20, recall(owner, msgbox, [sent]));
            assert_eq!(verdict, Ok(Outcome::Changed(0)), "{owner}");
        }
        assert_eq!(store.entries.len(), 3);
    }

    #[test]
    fn a_system_message_is_recalled_by_nobody() {
        let (mut store, _) = store();
        let news = store.send(11, from_app(["bob"]));
        let verdict = store.execute(20, recall("bob", Msgbox::Inbox, [news]));
        assert_eq!(verdict, Err(Refusal::NotAllowed));
    }

    #[test]
    fn policy_decides_for_senders_and_recipients_apart() {
        let (mut store, sent) = store();
        store.policy.recipients_may_delete_for_everyone = false;
        let verdict = store.execute(20, recall("bob", Msgbox::Inbox, [sent]));
        assert_eq!(verdict, Err(Refusal::NotAllowed));
        store.policy.recipients_may_delete_for_everyone = true;
        store.policy.allow_delete_for_everyone = false;
        let verdict = store.execute(21, recall("ann", Msgbox::Sent, [sent]));
        assert_eq!(verdict, Err(Refusal::NotAllowed));
        let verdict = store.execute(22, recall("bob", Msgbox::Inbox, [sent]));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
    }

    #[test]
    fn a_stranger_learns_nothing_under_any_policy() {
        let (mut store, sent) = store();
        store.policy.recipients_may_delete_for_everyone = false;
        store.policy.allow_delete_for_everyone = false;
        for msgbox in Msgbox::ALL {
            let verdict = store.execute(20, recall("eve", msgbox, [sent, sent_at(99)]));
            assert_eq!(verdict, Ok(Outcome::Changed(0)));
        }
    }

    #[test]
    fn all_go_or_none() {
        let (mut store, sent) = store();
        let news = store.send(11, from_app(["bob"]));
        let verdict = store.execute(20, recall("bob", Msgbox::Inbox, [sent, news]));
        assert_eq!(verdict, Err(Refusal::NotAllowed));
        assert_eq!(store.messages.len(), 2);
        let unknown = recall("bob", Msgbox::Inbox, [sent, sent_at(99)]);
        assert_eq!(store.execute(30, unknown), Ok(Outcome::Changed(1)));
        assert_eq!(store.messages.len(), 1);
    }

    #[test]
    fn a_message_to_oneself_goes_from_both_boxes_and_counts_once() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("ann", ["ann"]));
        let verdict = store.execute(20, recall("ann", Msgbox::Sent, [sent]));
        assert_eq!(verdict, Ok(Outcome::Changed(1)));
        assert_eq!(store.counts("ann"), (0, 0, 0));
        assert_eq!(store.tombstones.len(), 2);
    }
}
