//! The poll of followed mailboxes, which finds changes whose notifications were lost.

use std::sync::{Arc, Weak};
use std::time::Duration;

use storage::{Error, MailboxHead, MailboxKey, Maintenance};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::hub::Hub;

/// Interval between polls, and so the maximum delay of a change whose notification was lost.
pub const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Time limit of a poll: longer than the store's own, so that only a hanging connection reaches it
/// and the next poll takes another one.
const POLL_TIMEOUT: Duration = Duration::from_secs(6);

/// Time over which all streams are invalidated after the database was replaced. At once, their
/// reads would delay those of all other callers.
const INVALIDATION_SPREAD: Duration = Duration::from_secs(1);
/// Number of steps of that invalidation.
const INVALIDATION_STEPS: u32 = 50;

/// Number of due mailboxes that are settled by one call, after a message to everyone.
const SETTLE_BATCH: usize = 100;
/// Pause between these calls: ten thousand mailboxes are settled within a second.
const SETTLE_PAUSE: Duration = Duration::from_millis(10);

/// Starts a task that polls the heads of all followed mailboxes, for as long as the hub exists:
/// every `poll_interval`, and at once when notifications may have been lost or a message was sent to
/// everyone. It polls without followed mailboxes too, to detect a replaced database.
pub fn start_polling(hub: &Arc<Hub>, store: Arc<dyn Maintenance>, poll_interval: Duration) {
    tokio::spawn(poll_until_dropped(
        Arc::downgrade(hub),
        store,
        poll_interval,
    ));
}

async fn poll_until_dropped(hub: Weak<Hub>, store: Arc<dyn Maintenance>, poll_interval: Duration) {
    let mut ticks = interval(poll_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut settling: Option<JoinHandle<bool>> = None;
    loop {
        // Held only until the next poll is done.
        let Some(hub) = hub.upgrade() else { return };
        tokio::select! {
            _ = ticks.tick() => {}
            () = hub.poll_requested() => {}
            // More mailboxes may have become due in the meantime.
            succeeded = settled(&mut settling) => if !succeeded { continue },
        }
        let start = Instant::now();
        let due = poll(&hub, &*store).await;
        hub.metrics().polled(start.elapsed(), due.is_ok());
        match due {
            Ok(due) if !due.is_empty() && settling.is_none() => {
                settling = Some(tokio::spawn(settle(Arc::clone(&store), due)));
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(error.source = error.chain(), "feed.poll_failed"),
        }
    }
}

/// Invalidates all followed mailboxes in steps.
async fn invalidate_all(hub: &Hub) {
    let mailboxes = hub.mailboxes();
    let step = mailboxes.len().div_ceil(INVALIDATION_STEPS as usize).max(1);
    for mailboxes in mailboxes.chunks(step) {
        hub.invalidate(mailboxes);
        sleep(INVALIDATION_SPREAD / INVALIDATION_STEPS).await;
    }
}

/// Waits for the settling task, if there is one. Returns whether it settled all mailboxes.
async fn settled(settling: &mut Option<JoinHandle<bool>>) -> bool {
    let succeeded = match settling {
        Some(task) => task.await.unwrap_or(false),
        None => std::future::pending().await,
    };
    *settling = None;
    succeeded
}

/// Polls the store once: wakes the streams of changed mailboxes, or of all if the database was
/// replaced. Returns the mailboxes that are due.
async fn poll(hub: &Hub, store: &dyn Maintenance) -> Result<Vec<MailboxKey>, Error> {
    let statuses = timeout(POLL_TIMEOUT, store.statuses(&hub.mailboxes())).await;
    if hub.take_database_replaced() {
        invalidate_all(hub).await;
        return Ok(Vec::new());
    }
    let statuses = statuses.map_err(|_| Error::Deadline)??;
    let heads: Vec<MailboxHead> = statuses.iter().map(|status| status.head).collect();
    hub.apply_poll(&heads);
    let due = statuses.iter().filter(|status| status.is_due);
    Ok(due.map(|status| status.head.mailbox).collect())
}

/// Settles mailboxes, which wakes their streams: in batches, so that a message to everyone does not
/// cause a read by all streams at once. Returns whether all were settled.
async fn settle(store: Arc<dyn Maintenance>, due: Vec<MailboxKey>) -> bool {
    let mut pauses = interval(SETTLE_PAUSE);
    pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for batch in due.chunks(SETTLE_BATCH) {
        pauses.tick().await;
        if let Err(error) = store.settle(batch).await {
            // The rest is still due, and found by the next poll.
            tracing::debug!(error.source = error.chain(), "feed.settle_failed");
            return false;
        }
    }
    true
}
