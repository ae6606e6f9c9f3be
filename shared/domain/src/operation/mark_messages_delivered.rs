//! A stream or client confirms that it received entries.

use super::{Action, Apply, Footprint, NamedEntries, Outcome, Weight};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::refusal::Refusal;

/// Records the first delivery of entries of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkMessagesDelivered(NamedEntries);

impl MarkMessagesDelivered {
    /// Records the delivery of distinct messages.
    #[must_use]
    pub const fn new(owner: ProfileId, message_ids: Vec<MessageId>) -> Self {
        Self(NamedEntries::new(owner, Msgbox::Inbox, message_ids))
    }

    /// Entries that were received.
    #[must_use]
    pub const fn entries(&self) -> &NamedEntries {
        &self.0
    }
}

impl Apply for MarkMessagesDelivered {
    /// Number of the named entries that exist: all of them are delivered now.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        self.0.footprint()
    }

    fn weight(&self) -> Weight {
        self.0.weight()
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.0.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let NamedEntries { owner, msgbox, .. } = &self.0;
        Ok(self.0.apply(|it| ledger.deliver_entry(owner, *msgbox, it)))
    }

    fn rest(&self, _ledger: &Ledger, done: &Outcome) -> Option<Action> {
        let Outcome::Changed(delivered) = *done else {
            return None;
        };
        Some(Self(self.0.rest(delivered)?).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryStore, from_user, profile, sent_at};
    use crate::time::Millis;

    fn delivered(message_ids: &[MessageId]) -> Action {
        let delivered = MarkMessagesDelivered::new(profile("bob"), message_ids.into());
        Action::MarkMessagesDelivered(delivered)
    }

    #[test]
    fn the_first_time_is_kept_and_nothing_else_changes() {
        let mut store = MemoryStore::of(["bob"]);
        let one = store.send(10, from_user("ann", ["bob"]));
        let mailbox = store.mailbox("bob").clone();
        let before = store.entry("bob", Msgbox::Inbox, one).cloned();
        for now in [20, 30] {
            let action = delivered(&[one, sent_at(99)]);
            assert_eq!(store.execute(now, action), Ok(Outcome::Changed(1)));
        }
        let after = store.entry("bob", Msgbox::Inbox, one).cloned();
        let mut expected = before.expect("an entry");
        expected.delivered_ms = Some(Millis(20));
        assert_eq!(after, Some(expected));
        assert_eq!(*store.mailbox("bob"), mailbox);
    }

    #[test]
    fn a_sent_entry_cannot_be_marked_as_delivered() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("bob", ["ann"]));
        assert_eq!(
            store.execute(20, delivered(&[sent])),
            Ok(Outcome::Changed(0))
        );
    }
}
