//! Asking the store, in case nobody was told.

use std::sync::{Arc, Weak};
use std::time::Duration;

use storage::{Error, MailboxHead, MailboxKey, Maintenance};
use tokio::task::JoinHandle;
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

/// Mailboxes that are settled together when something was sent to everyone.
const SETTLED_TOGETHER: usize = 100;
/// From one such part to the next: ten thousand are spread over a second.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks the store from time to time, and at once when hints may have been lost or something
/// was sent to everyone, for all mailboxes that somebody follows, in one question, for as long
/// as the hub is there. It is asked also if nobody follows anything: so it looks whether the
/// database is still the one that it was.
pub fn follow(hub: &Arc<Hub>, store: Arc<dyn Maintenance>, every: Duration) {
    tokio::spawn(ask(Arc::downgrade(hub), store, every));
}

async fn ask(hub: Weak<Hub>, store: Arc<dyn Maintenance>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut settling: Option<JoinHandle<bool>> = None;
    loop {
        // For as long as it takes until the next question, and no longer.
        let Some(hub) = hub.upgrade() else { return };
        tokio::select! {
            _ = ticks.tick() => {}
            () = hub.stirred() => {}
            // More may have fallen due since.
            all = done(&mut settling) => if !all { continue },
        }
        match look(&hub, &*store).await {
            Ok(due) if !due.is_empty() && settling.is_none() => {
                settling = Some(tokio::spawn(settle(Arc::clone(&store), due)));
            }
            Ok(_) => {}
            // It is asked again.
            Err(error) => tracing::debug!(error.source = %error, "feed.poll_failed"),
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

/// Until those that are being settled are; whether all of them are.
async fn done(settling: &mut Option<JoinHandle<bool>>) -> bool {
    let all = match settling {
        Some(task) => task.await.unwrap_or(false),
        None => std::future::pending().await,
    };
    *settling = None;
    all
}

/// Wakes those whose mailboxes have changed, or all if the store was replaced. The mailboxes
/// that are due.
async fn look(hub: &Hub, store: &dyn Maintenance) -> Result<Vec<MailboxKey>, Error> {
    let looks = timeout(ANSWER_MAX, store.statuses(&hub.mailboxes())).await;
    if hub.was_replaced() {
        doubt_all(hub).await;
        return Ok(Vec::new());
    }
    let looks = looks.map_err(|_| Error::Deadline)??;
    let heads: Vec<MailboxHead> = looks.iter().map(|look| look.head).collect();
    hub.polled(&heads);
    let due = looks.iter().filter(|look| look.is_due);
    Ok(due.map(|look| look.head.mailbox).collect())
}

/// Settles mailboxes, which wakes those who follow them: a part at a time, so that a message
/// to everyone does not bring all of them to the store at once. Whether all of them are.
async fn settle(store: Arc<dyn Maintenance>, due: Vec<MailboxKey>) -> bool {
    let mut pauses = interval(PAUSE);
    pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for part in due.chunks(SETTLED_TOGETHER) {
        pauses.tick().await;
        if let Err(error) = store.settle(part).await {
            // The rest is due still, and found so by the next question.
            tracing::debug!(error.source = %error, "feed.settle_failed");
            return false;
        }
    }
    true
}
