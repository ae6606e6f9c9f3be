//! Recounts: counters of a store against its rows.

use storage::{Drift, Store};

/// Result of a recount of all mailboxes.
#[derive(Debug, Default)]
pub struct RecountResult {
    /// Number of mailboxes.
    pub mailboxes: u64,
    /// Number of entries.
    pub entries: u64,
    /// Counters that differ.
    pub drift: Vec<Drift>,
}

/// Recounts all mailboxes.
pub async fn recount(store: &dyn Store) -> RecountResult {
    let mut recount = RecountResult::default();
    let mut after = None;
    loop {
        let part = store.recount(after, false).await.expect("a recount");
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
pub async fn assert_none(store: &dyn Store) -> RecountResult {
    let recount = recount(store).await;
    assert!(recount.drift.is_empty(), "drift: {:#?}", recount.drift);
    recount
}
