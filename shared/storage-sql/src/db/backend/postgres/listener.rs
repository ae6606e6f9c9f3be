//! LISTEN: notifications of the other stores on the database.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor;
use sqlx::postgres::PgListener;
use tokio::time::{sleep, timeout};

use crate::db::notification::{CHANNEL, NotificationHandler};

/// Pause before connecting again.
const RECONNECT_AFTER: Duration = Duration::from_millis(250);
/// Silence after which the connection is probed.
const PROBE_AFTER: Duration = Duration::from_secs(3);
/// Timeout of connecting, and of a probe.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// The probe: listening again changes nothing, and is answered.
const PROBE: &str = "LISTEN postroom";

/// Listens for ever, connecting again whenever the connection fails.
pub async fn listen(url: String, handler: Arc<dyn NotificationHandler>) {
    loop {
        match receive(&url, &*handler).await {
            Ok(()) => tracing::debug!("broadcast.disconnected"),
            Err(error) => tracing::debug!(error.source = %error, "broadcast.listen_failed"),
        }
        handler.on_disconnect();
        sleep(RECONNECT_AFTER).await;
    }
}

/// Receives notifications until the connection is closed. One that hangs is as silent as one
/// that is well, so it is probed.
async fn receive(url: &str, handler: &dyn NotificationHandler) -> Result<(), sqlx::Error> {
    let mut listener = with_timeout(connect(url)).await?;
    handler.on_gap();
    loop {
        match timeout(PROBE_AFTER, listener.try_recv()).await {
            Ok(received) => match received? {
                Some(notification) => handler.on_notification(notification.payload()),
                None => return Ok(()),
            },
            Err(_) => {
                with_timeout(listener.execute(PROBE)).await?;
            }
        }
    }
}

async fn connect(url: &str) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    // `listen` reconnects instead, within a time limit.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn with_timeout<T>(answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let answer = timeout(ANSWER_TIMEOUT, answer).await;
    answer.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_listens_to_the_channel() {
        assert_eq!(PROBE, format!("LISTEN {CHANNEL}"));
    }
}
