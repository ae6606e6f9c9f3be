//! Marks of deliveries: entries that the subscriber has taken are marked as delivered, at
//! intervals that all streams share.

use std::time::{Duration, Instant};

use domain::limits::MESSAGE_IDS_MAX;
use domain::operation::MarkMessagesDelivered;
use domain::{MessageId, Msgbox, Operation};
use storage::FeedChange;
use tokio::time::timeout_at;

use super::StreamTask;

/// Timeout of marking deliveries. The stream waits for it; marks can be repeated.
const MARK_TIMEOUT: Duration = Duration::from_secs(2);

impl StreamTask {
    /// Marks the entries that were delivered. Entries that the subscriber has not taken yet, and
    /// those that cannot be marked now, are left for the next interval.
    pub(super) async fn mark_deliveries(&mut self) {
        let mut delivered = self.buffer.take_delivered();
        while !delivered.is_empty() {
            let part = delivered.split_off(delivered.len().saturating_sub(MESSAGE_IDS_MAX));
            if self.mark(part.clone()).await.is_err() {
                delivered.extend(part);
                break;
            }
            self.unmarked = self.unmarked.saturating_sub(part.len());
        }
        self.buffer.restore_delivered(delivered);
        let timing = &self.streams.timing;
        let again = timing.next_delivery_tick() + timing.delivery_interval;
        self.mark_at = (self.unmarked > 0).then_some(again);
    }

    async fn mark(&self, message_ids: Vec<MessageId>) -> Result<(), storage::Error> {
        let user = &self.reader.user;
        let operation = Operation::from(MarkMessagesDelivered::new(
            user.profile().clone(),
            message_ids,
        ));
        let deadline = Instant::now() + MARK_TIMEOUT;
        let marked = async {
            // The semaphore is never closed.
            let _permit = self.streams.delivery_markers.acquire().await;
            self.store.execute(user.app(), operation, deadline).await
        };
        let marked = timeout_at(deadline.into(), marked).await;
        marked.unwrap_or(Err(storage::Error::Deadline)).map(drop)
    }
}

/// Returns the entry that a change delivers for the first time.
pub(super) fn first_delivery(change: &FeedChange) -> Option<MessageId> {
    let (FeedChange::Received(item) | FeedChange::Updated(item)) = change else {
        return None;
    };
    let entry = &item.entry;
    let is_first = entry.msgbox == Msgbox::Inbox && entry.delivered_ms.is_none();
    is_first.then_some(entry.message_id)
}
