//! Asking the store, in case nobody was told.

use std::sync::{Arc, Weak};
use std::time::Duration;

use storage::MailStore;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::hub::Hub;

/// How often the store is asked. Nothing is later than this.
pub const POLL_EVERY: Duration = Duration::from_secs(2);
/// How long an answer may take: longer than a database lets itself take. A connection that
/// hangs must not be the last one that was asked on.
const ANSWER_MAX: Duration = Duration::from_secs(6);

/// Over how long all look after the store was replaced, and in how many parts: together they
/// would keep everybody else who reads waiting.
const SPREAD: Duration = Duration::from_secs(1);
const PARTS: u32 = 50;

/// Asks the store from time to time, and at once when hints may have been lost, for all
/// mailboxes that somebody follows, in one question, for as long as the hub is there. It is
/// asked also if nobody follows anything: so it looks whether the database is still the one
/// that it was.
pub fn follow(hub: &Arc<Hub>, store: Arc<dyn MailStore>, every: Duration) {
    tokio::spawn(ask(Arc::downgrade(hub), store, every));
}

async fn ask(hub: Weak<Hub>, store: Arc<dyn MailStore>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // For as long as it takes until the next question, and no longer.
        let Some(hub) = hub.upgrade() else { return };
        tokio::select! {
            _ = ticks.tick() => {}
            () = hub.stirred() => {}
        }
        let heads = timeout(ANSWER_MAX, store.heads(&hub.mailboxes())).await;
        if hub.was_replaced() {
            doubt_all(&hub).await;
            continue;
        }
        match heads {
            Ok(Ok(heads)) => hub.polled(&heads),
            // It is asked again.
            Ok(Err(error)) => tracing::debug!(error.source = %error, "feed.poll_failed"),
            Err(_) => tracing::debug!("feed.poll_late"),
        }
    }
}

async fn doubt_all(hub: &Hub) {
    let mailboxes = hub.mailboxes();
    let part = mailboxes.len().div_ceil(PARTS as usize).max(1);
    for part in mailboxes.chunks(part) {
        hub.doubt(part);
        sleep(SPREAD / PARTS).await;
    }
}
