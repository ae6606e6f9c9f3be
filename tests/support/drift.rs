//! Whether the counters of a store equal a recount.

use storage::{Drift, MailStore};

/// What a recount of all mailboxes found.
#[derive(Debug, Default)]
pub struct Recount {
    /// How many mailboxes there are.
    pub mailboxes: u64,
    /// How many entries they hold.
    pub entries: u64,
    /// What does not agree.
    pub drift: Vec<Drift>,
}

/// Recounts all mailboxes.
pub async fn recount(store: &dyn MailStore) -> Recount {
    let mut recount = Recount::default();
    let mut after = None;
    loop {
        let part = store.audit(after, false).await.expect("a recount");
        recount.mailboxes += part.mailboxes;
        recount.entries += part.entries;
        recount.drift.extend(part.drift);
        after = part.next;
        if after.is_none() {
            return recount;
        }
    }
}

/// Recounts all mailboxes, all of which must agree with their entries.
pub async fn assert_none(store: &dyn MailStore) -> Recount {
    let recount = recount(store).await;
    assert!(recount.drift.is_empty(), "drift: {:#?}", recount.drift);
    recount
}
