//! Sends the hints of this store: NOTIFY.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use storage::{Error, MailboxHead, MailboxKey};
use telemetry::BroadcastMetrics;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::{ALL_MAILBOXES, SEPARATOR};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::notification::CHANNEL;
use crate::db::pool::Pool;
use crate::db::statement::Statement;

/// Pause after each round of notifications, in which hints gather for the next.
const INTERVAL: Duration = Duration::from_millis(10);
/// Timeout of one notification.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum bytes of one payload; `PostgreSQL` allows 7,999.
pub(super) const PAYLOAD_BYTES_MAX: usize = 7_500;
/// Maximum number of mailboxes named in a round; more become one hint about all mailboxes.
const MAILBOXES_MAX: usize = 4_096;

pub static NOTIFY: Statement = Statement::new("server.notify", 2, "SELECT pg_notify($1, $2)");

/// The hints to be sent in the next round.
#[derive(Default)]
pub(super) struct PendingHints {
    /// The greatest seq of each mailbox.
    heads: Mutex<HashMap<MailboxKey, i64>>,
    added: Notify,
}

impl PendingHints {
    /// Adds the heads of changed mailboxes.
    pub fn add(&self, heads: &[MailboxHead]) {
        if heads.is_empty() {
            return;
        }
        let mut pending = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        for head in heads {
            // One beyond the maximum marks the overflow.
            if pending.len() <= MAILBOXES_MAX {
                let seq = pending.entry(head.mailbox).or_insert(head.seq);
                *seq = head.seq.max(*seq);
            }
        }
        drop(pending);
        self.added.notify_one();
    }

    /// Takes all hints, as payloads from the store `name`.
    pub fn take(&self, name: &str) -> Vec<String> {
        let mut pending = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let heads = std::mem::take(&mut *pending);
        drop(pending);
        if heads.len() > MAILBOXES_MAX {
            return vec![format!("{name}{SEPARATOR}{ALL_MAILBOXES}")];
        }
        let mut payloads: Vec<String> = Vec::new();
        for (key, seq) in heads {
            let word = format!("{SEPARATOR}{}.{}.{seq}", key.app_no, key.mailbox_id);
            match payloads.last_mut() {
                Some(payload) if payload.len() + word.len() <= PAYLOAD_BYTES_MAX => {
                    *payload += &word;
                }
                _ => payloads.push(format!("{name}{word}")),
            }
        }
        payloads
    }
}

/// Sends hints in rounds, for ever. One that cannot be sent is dropped: the other stores poll.
pub(super) async fn publish<DB: Backend>(
    hints: Arc<PendingHints>,
    pool: Pool<DB>,
    name: String,
    metrics: BroadcastMetrics,
) {
    loop {
        hints.added.notified().await;
        for payload in hints.take(&name) {
            let sent = timeout(SEND_TIMEOUT, notify(&pool, &payload)).await;
            match &sent {
                Ok(Ok(())) => metrics.published(),
                Ok(Err(error)) => tracing::debug!(error.source = %error, "broadcast.send_failed"),
                Err(_) => tracing::debug!("broadcast.send_timed_out"),
            }
            if !matches!(sent, Ok(Ok(()))) {
                metrics.failed();
            }
        }
        sleep(INTERVAL).await;
    }
}

async fn notify<DB: Backend>(pool: &Pool<DB>, payload: &str) -> Result<(), Error> {
    let notify = BoundStatement::of(&NOTIFY).bind(CHANNEL).bind(payload);
    Connection::of(pool).await?.execute(notify).await.map(drop)
}
