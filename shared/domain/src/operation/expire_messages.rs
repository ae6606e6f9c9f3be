//! Expired messages are forgotten, and no longer count as kept of their senders and of the app.

use super::{Apply, Footprint, Weight};
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;

/// Forgets messages that have expired so long ago that no box holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpireMessages {
    /// The messages. Those that another replica has forgotten are passed over.
    pub message_ids: Vec<MessageId>,
}

impl Apply for ExpireMessages {
    type Outcome = ();

    fn footprint(&self) -> Footprint {
        Footprint {
            expired: self.message_ids.iter().copied().collect(),
            ..Footprint::default()
        }
    }

    fn weight(&self) -> Weight {
        Weight::of_entries(self.message_ids.len())
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<(), Refusal> {
        for message_id in &self.message_ids {
            ledger.forget_message(*message_id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{DeleteMessage, EditMessage, SendMessage};
    use crate::quota::KeptQuota;
    use crate::testing::{MemoryStore, from_app, from_user, profile, text};

    fn kept(store: &MemoryStore, owner: &str) -> i64 {
        store.mailbox(owner).kept_bytes
    }

    /// Bytes of the content of each message of a user.
    const HELLO: i64 = 5;

    #[test]
    fn bytes_are_kept_from_the_send_to_the_end_of_a_message() {
        let mut store = MemoryStore::of(["ann", "bob"]);
        let [first, second, third] =
            [10, 11, 12].map(|now| store.send(now, from_user("ann", ["bob"])));
        store.send(13, from_app(["ann"]));
        assert_eq!((kept(&store, "ann"), kept(&store, "bob")), (3 * HELLO, 0));
        let edit = EditMessage {
            owner: profile("ann"),
            message_id: first,
            content: text("hello, hello"),
            expected_version: None,
        };
        store.execute(20, edit).expect("a revision");
        assert_eq!(kept(&store, "ann"), 2 * HELLO + 12);
        let remove = DeleteMessage {
            message_id: first,
            expected_version: None,
        };
        store.execute(21, remove).expect("a deletion");
        assert_eq!(kept(&store, "ann"), 2 * HELLO);
        for _ in 0..2 {
            let message_ids = vec![second, first];
            store
                .execute(30, ExpireMessages { message_ids })
                .expect("an expiry");
            assert_eq!(kept(&store, "ann"), HELLO);
        }
        assert!(store.messages.contains_key(&third) && !store.messages.contains_key(&second));
    }

    #[test]
    fn a_send_and_an_edit_beyond_the_quota_of_bytes_are_refused() {
        let mut store = MemoryStore::of(["ann", "bob"]);
        store.policy.quotas.profile_kept_mib = 1;
        let first = store.send(10, from_user("ann", ["bob"]));
        let ann = store.mailboxes.get_mut(&profile("ann")).expect("a mailbox");
        ann.kept_bytes = 1024 * 1024 - HELLO;
        assert!(store.execute(11, from_user("ann", ["bob"])).is_ok());
        let refused = store.execute(12, from_user("ann", ["bob"]));
        assert_eq!(
            refused,
            Err(Refusal::TooMuchKept(KeptQuota::ProfileKeptMib))
        );
        let edit = |content| EditMessage {
            owner: profile("ann"),
            message_id: first,
            content: text(content),
            expected_version: None,
        };
        assert_eq!(
            store.execute(13, edit("hello!")),
            Err(Refusal::TooMuchKept(KeptQuota::ProfileKeptMib))
        );
        assert!(store.execute(14, edit("bye")).is_ok());
        assert!(store.execute(15, from_app(["bob"])).is_ok());
        assert!(store.execute(16, from_user("bob", ["ann"])).is_ok());
    }

    #[test]
    fn a_profile_creates_no_more_unused_mailboxes_than_its_quota() {
        let mut store = MemoryStore::of(["ann", "bob"]);
        store.policy.quotas.profile_unused_mailboxes = 2;
        assert!(store.execute(10, from_user("ann", ["x", "y"])).is_ok());
        let third = || from_user("ann", ["bob", "z"]);
        assert_eq!(
            store.execute(11, third()),
            Err(Refusal::TooMuchKept(KeptQuota::ProfileUnusedMailboxes))
        );
        let again: [SendMessage; 2] = [from_user("ann", ["x", "y"]), from_user("bob", ["x", "y"])];
        for (now, send) in (12..).zip(again) {
            assert!(store.execute(now, send).is_ok());
        }
        let caused = |store: &MemoryStore, owner| store.mailbox(owner).caused_by;
        let ann = store.mailbox("ann").mailbox_id;
        assert_eq!(caused(&store, "x"), Some(ann));
        // Once one is used, it is no longer counted.
        let used = store.execute(15, from_user("x", ["ann"]));
        used.expect("a message");
        assert_eq!(caused(&store, "x"), None);
        assert!(store.execute(16, third()).is_ok());
        assert!(store.execute(17, from_app(["a", "b", "c"])).is_ok());
    }
}
