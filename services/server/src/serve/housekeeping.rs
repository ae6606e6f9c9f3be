//! What is to be done from time to time, whoever calls.

use std::sync::Arc;

use storage::{Error, MailStore};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::limits::TRIM_EVERY;

/// Forgets old deletions from time to time. Several replicas may do so at once.
pub fn start(store: Arc<dyn MailStore>) {
    tokio::spawn(async move {
        let mut ticks = interval_at(Instant::now() + TRIM_EVERY, TRIM_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = trim(&*store).await {
                tracing::warn!(error.source = %error, "feed.trim_failed");
            }
        }
    });
}

async fn trim(store: &dyn MailStore) -> Result<(), Error> {
    let mut next = store.trim(None).await?;
    while next.is_some() {
        next = store.trim(next).await?;
    }
    Ok(())
}
