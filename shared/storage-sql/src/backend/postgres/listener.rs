//! Listening to the other stores on the database.

use std::io;
use std::time::Duration;

use sqlx::Executor;
use sqlx::postgres::PgListener;
use tokio::time::{sleep, timeout};

use crate::carrier::{CHANNEL, Ears};

/// How long to wait before a database that is away is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// After how much silence the connection is asked whether it is well.
const SILENCE_MAX: Duration = Duration::from_secs(3);
/// How long the answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// To listen a second time changes nothing, and is answered.
const ARE_YOU_THERE: &str = "LISTEN postroom";

/// Listens for as long as it is let. Whenever something may have been missed, it says so.
pub async fn listen(url: String, ears: Ears) {
    loop {
        match hear(&url, &ears).await {
            Ok(()) => tracing::debug!("carrier.cut"),
            Err(error) => tracing::debug!(error.source = %error, "carrier.not_heard"),
        }
        sleep(AGAIN_AFTER).await;
    }
}

/// Hears what is said until the connection is cut. One that hangs is not cut by anybody, and
/// as silent as one that is well: it is asked.
async fn hear(url: &str, ears: &Ears) -> Result<(), sqlx::Error> {
    let mut listener = answered(begin(url)).await?;
    ears.lost();
    loop {
        match timeout(SILENCE_MAX, listener.try_recv()).await {
            Ok(heard) => match heard? {
                Some(notification) => ears.hear(notification.payload()),
                None => return Ok(()),
            },
            Err(_) => {
                answered(listener.execute(ARE_YOU_THERE)).await?;
            }
        }
    }
}

async fn begin(url: &str) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    // Another one is begun instead, in as much time as that may take.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn answered<T>(asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let answer = timeout(ANSWER_MAX, asked).await;
    answer.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_again_is_to_listen_to_the_same() {
        assert_eq!(ARE_YOU_THERE, format!("LISTEN {CHANNEL}"));
    }
}
