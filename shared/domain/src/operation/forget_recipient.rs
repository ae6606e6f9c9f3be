//! Messages no longer name a recipient that is erased.

use super::{Apply, Footprint, Weight};
use crate::id::{MessageId, ProfileId};
use crate::ledger::Ledger;
use crate::message::Holders;
use crate::refusal::Refusal;

/// Removes a profile from the recipients that are listed in messages. It has no entries of them any
/// more. Others keep theirs as they are: their versions stay, and replicas may show the recipient
/// until they read the message again, for an hour at the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgetRecipient {
    /// The profile.
    pub profile_id: ProfileId,
    /// The messages.
    pub message_ids: Vec<MessageId>,
}

impl Apply for ForgetRecipient {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint::of_messages(self.message_ids.iter().copied(), Holders::None)
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.message_ids.len())
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        for message_id in &self.message_ids {
            ledger.forget_recipient(*message_id, &self.profile_id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryStore, from_user, profile, profiles, sent_at};

    #[test]
    fn other_recipients_stay_and_so_does_the_version() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_user("ann", ["bob", "cid", "dan"]));
        let alone = store.send(11, from_user("ann", ["cid"]));
        let other = store.send(12, from_user("ann", ["bob"]));
        let forget = ForgetRecipient {
            profile_id: profile("cid"),
            message_ids: vec![sent, alone, other, sent_at(99)],
        };
        store.execute(20, forget).expect("it is forgotten");
        let to = |message_id| store.messages[&message_id].to.clone();
        assert_eq!(to(sent), profiles(["bob", "dan"]));
        assert_eq!(to(alone), []);
        assert_eq!(to(other), profiles(["bob"]));
        assert_eq!(store.messages[&sent].version, 1);
    }
}
