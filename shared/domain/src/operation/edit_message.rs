//! A sender replaces the content of a message, for all holders.

use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, Footprint, Revision, Weight, update_message};
use crate::content::Content;
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::number::saturating;
use crate::quota::KeptQuota;
use crate::refusal::Refusal;

/// Replaces the content of a message on behalf of its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditMessage {
    /// The calling profile.
    pub owner: ProfileId,
    /// Message to change.
    pub message_id: MessageId,
    /// New content of the message.
    pub content: Content,
    /// Version that it must have; none: any.
    pub expected_version: Option<i64>,
}

impl Apply for EditMessage {
    type Outcome = Revision;

    fn footprint(&self) -> Footprint {
        Footprint::of_messages_and(&self.owner, &[self.message_id])
    }

    fn weight(&self) -> Weight {
        Weight::of_content(&self.content, HOLDERS_ESTIMATE)
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<Revision, Refusal> {
        let message = ledger.message(self.message_id).ok_or(Refusal::NotFound)?;
        if !message.is_from(&self.owner) {
            let holds = ledger
                .entry(&self.owner, Msgbox::Inbox, self.message_id)
                .is_some();
            return Err(if holds {
                Refusal::NotAllowed
            } else {
                Refusal::NotFound
            });
        }
        if !ledger.policy().allow_edit {
            return Err(Refusal::NotAllowed);
        }
        let growth = saturating::<i64, _>(self.content.encoded.len()) - message.size_bytes;
        let kept_bytes = ledger.kept_bytes(&self.owner) + growth;
        if growth > 0 && !ledger.policy().quotas.may_keep(kept_bytes) {
            return Err(Refusal::TooMuchKept(KeptQuota::ProfileKeptMib));
        }
        update_message::revise(
            ledger,
            self.message_id,
            &self.content,
            self.expected_version,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, DeleteEntries, NamedEntries, Outcome};
    use crate::testing::{MemoryStore, from_app, from_user, profile, sent_at, text};
    use crate::time::Millis;

    fn edit(owner: &str, message_id: MessageId, expected_version: Option<i64>) -> Action {
        Action::EditMessage(EditMessage {
            owner: profile(owner),
            message_id,
            content: text("better"),
            expected_version,
        })
    }

    fn store() -> (MemoryStore, MessageId) {
        let mut store = MemoryStore::of(["ann", "bob", "eve"]);
        let sent = store.send(10, from_user("ann", ["bob"]));
        (store, sent)
    }

    #[test]
    fn the_sender_edits_also_without_the_own_copy() {
        let (mut store, sent) = store();
        let own = Action::DeleteEntries(DeleteEntries(NamedEntries::new(
            profile("ann"),
            Msgbox::Sent,
            vec![sent],
        )));
        assert_eq!(store.execute(15, own), Ok(Outcome::Changed(1)));
        let revision = Revision {
            message_id: sent,
            version: 2,
            update_ms: Millis(20),
            digest: text("better").digest,
        };
        let verdict = store.execute(20, edit("ann", sent, Some(1)));
        assert_eq!(verdict, Ok(Outcome::Revised(revision)));
        assert_eq!(store.contents[&sent], text("better"));
    }

    #[test]
    fn a_recipient_is_told_and_a_stranger_is_not() {
        let (mut store, sent) = store();
        let refused = |store: &mut MemoryStore, owner| store.execute(20, edit(owner, sent, None));
        assert_eq!(refused(&mut store, "bob"), Err(Refusal::NotAllowed));
        assert_eq!(refused(&mut store, "eve"), Err(Refusal::NotFound));
        let unknown = store.execute(20, edit("ann", sent_at(99), None));
        assert_eq!(unknown, Err(Refusal::NotFound));
        let news = store.send(30, from_app(["bob"]));
        let of_the_app = store.execute(31, edit("bob", news, None));
        assert_eq!(of_the_app, Err(Refusal::NotAllowed));
    }

    #[test]
    fn a_recipient_without_the_entry_is_a_stranger() {
        let (mut store, sent) = store();
        let own = Action::DeleteEntries(DeleteEntries(NamedEntries::new(
            profile("bob"),
            Msgbox::Inbox,
            vec![sent],
        )));
        assert_eq!(store.execute(15, own), Ok(Outcome::Changed(1)));
        let verdict = store.execute(20, edit("bob", sent, None));
        assert_eq!(verdict, Err(Refusal::NotFound));
    }

    #[test]
    fn policy_comes_before_the_version() {
        let (mut store, sent) = store();
        let mismatch = Refusal::VersionMismatch {
            expected: 7,
            current: 1,
        };
        let stale = edit("ann", sent, Some(7));
        assert_eq!(store.execute(20, stale.clone()), Err(mismatch));
        store.policy.allow_edit = false;
        assert_eq!(store.execute(20, stale), Err(Refusal::NotAllowed));
    }
}
