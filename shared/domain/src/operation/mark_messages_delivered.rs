//! A stream or client confirms that it received entries.

use super::{Apply, EntryRange, Footprint, Weight};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::mailbox::Msgbox;
use crate::refusal::Refusal;

/// Records the first delivery of entries of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkMessagesDelivered {
    /// Owner of the mailbox.
    pub owner: ProfileId,
    /// Messages of the entries, distinct.
    pub message_ids: Vec<MessageId>,
}

impl Apply for MarkMessagesDelivered {
    /// Number of the named entries that exist: all of them are delivered now.
    type Outcome = u32;

    fn footprint(&self) -> Footprint {
        let ids = self.message_ids.clone();
        let named = EntryRange::Named(self.owner.clone(), Msgbox::Inbox, ids);
        Footprint::of_owner(&self.owner, named)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.message_ids.len())
    }

    fn actor(&self) -> Option<&ProfileId> {
        Some(&self.owner)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<u32, Refusal> {
        let mut actual = 0;
        for &message_id in &self.message_ids {
            actual += u32::from(ledger.deliver_entry(&self.owner, Msgbox::Inbox, message_id));
        }
        Ok(actual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, Outcome};
    use crate::testing::{MemoryStore, from_user, profile, sent_at};
    use crate::time::Millis;

    fn delivered(message_ids: &[MessageId]) -> Action {
        Action::MarkMessagesDelivered(MarkMessagesDelivered {
            owner: profile("bob"),
            message_ids: message_ids.into(),
        })
    }

    #[test]
    fn the_first_time_is_kept_and_nothing_else_changes() {
        let mut store = MemoryStore::default();
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
