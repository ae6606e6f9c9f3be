//! Listening to the other stores on the database.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time::sleep;

use crate::carrier::{CHANNEL, Ears};

/// How long to wait before a database that is away is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Listens for as long as it is let. Whenever something may have been missed, it says so.
pub async fn listen(url: String, ears: Ears) {
    loop {
        if let Err(error) = hear(&url, &ears).await {
            tracing::debug!(error.source = %error, "carrier.not_heard");
        }
        sleep(AGAIN_AFTER).await;
    }
}

async fn hear(url: &str, ears: &Ears) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    ears.lost();
    loop {
        match listener.try_recv().await? {
            Some(notification) => ears.hear(notification.payload()),
            // It was away for a while, and is back.
            None => ears.lost(),
        }
    }
}
