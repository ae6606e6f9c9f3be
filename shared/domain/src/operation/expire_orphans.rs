//! Messages that no box has any more expire.

use super::{Apply, Footprint, Weight};
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::message::Holders;
use crate::refusal::Refusal;

/// Lets orphans expire: messages to listed recipients that all of their holders have deleted. The
/// caller has looked: an orphan gets no holder again, because only its send makes entries of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpireOrphans {
    /// The orphans.
    pub message_ids: Vec<MessageId>,
}

impl Apply for ExpireOrphans {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint::of_messages(self.message_ids.iter().copied(), Holders::None)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.message_ids.len())
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        for message_id in &self.message_ids {
            ledger.expire_orphan(*message_id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Changes;
    use crate::limits::DAY_MS;
    use crate::testing::{MemoryStore, from_user, lasting, sent_at};
    use crate::time::Millis;

    fn changes(store: &MemoryStore, message_ids: &[MessageId]) -> Changes {
        let mut ledger = store.ledger(50);
        let message_ids = message_ids.to_vec();
        let expiry = ExpireOrphans { message_ids };
        expiry.apply(&mut ledger).expect("an expiry");
        ledger.into_changes().expect("all rows were read")
    }

    #[test]
    fn an_orphan_expires_at_once_or_after_the_time_for_moderation() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("ann", ["bob"]));
        let short = store.send(11, lasting(from_user("ann", ["bob"]), 100));
        let orphans = |store: &MemoryStore| changes(store, &[sent, short, sent_at(99)]).orphans;
        let now = Millis(50);
        assert_eq!(orphans(&store), [(sent, now), (short, now)].into());
        store.policy.keep_for_moderation_ms = DAY_MS;
        assert_eq!(orphans(&store), [(sent, now.after(DAY_MS))].into());
    }

    #[test]
    fn a_message_that_was_deleted_in_the_same_batch_is_no_orphan() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("ann", ["bob"]));
        let mut ledger = store.ledger(50);
        assert!(ledger.remove_message(sent));
        let message_ids = vec![sent];
        let expiry = ExpireOrphans { message_ids };
        expiry.apply(&mut ledger).expect("an expiry");
        let changes = ledger.into_changes().expect("all rows were read");
        assert_eq!(changes.orphans, [].into());
    }
}
