//! Recounts: counters of a store against its rows.

use storage::{Drift, Error, MailboxKey, RecountReport, Store};

/// Sessions of a store that read, and more.
const SESSIONS_MAX: usize = 16;

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
        let part = recount_part(store, after).await;
        recount.mailboxes += part.mailboxes;
        recount.entries += part.entries;
        recount.drift.extend(part.drift);
        after = part.next;
        if after.is_none() {
            return recount;
        }
    }
}

/// Recounts a part of the mailboxes. A read on a session that the test has ended fails, and is
/// repeated.
async fn recount_part(store: &dyn Store, after: Option<MailboxKey>) -> RecountReport {
    for _ in 0..SESSIONS_MAX {
        match store.recount(after, false).await {
            Err(Error::Unavailable(_)) => {}
            part => return part.expect("a recount"),
        }
    }
    panic!("more reads have failed than there were sessions")
}

/// Recounts what is kept of all apps.
pub async fn recount_kept(store: &dyn Store, repair: bool) -> Vec<Drift> {
    let mut drift = Vec::new();
    let mut after = None;
    loop {
        let app = store.recount_kept(after, repair).await.expect("a recount");
        drift.extend(app.drift);
        after = app.next;
        if after.is_none() {
            return drift;
        }
    }
}

/// Recounts all mailboxes and what is kept: all must agree with the rows.
pub async fn assert_none(store: &dyn Store) -> RecountResult {
    let mut recount = recount(store).await;
    recount.drift.extend(recount_kept(store, false).await);
    assert!(recount.drift.is_empty(), "drift: {:#?}", recount.drift);
    recount
}
