//! What was handed to the reader is noted, in rounds; nobody is told of it.

use std::time::{Duration, Instant};

use domain::limits::MESSAGE_IDS_MAX;
use domain::operation::MarkMessagesDelivered;
use domain::{MessageId, Msgbox, Operation};
use storage::FeedChange;
use tokio::time::timeout_at;

use super::Follower;

/// How long noting what was delivered may take.
const NOTE_WITHIN: Duration = Duration::from_secs(2);

impl Follower {
    /// Notes what the reader has taken; what it has not yet is looked for again later, and so
    /// is what cannot be noted now.
    pub(super) async fn note_deliveries(&mut self) {
        let mut delivered = self.outlet.delivered();
        while !delivered.is_empty() {
            let part = delivered.split_off(delivered.len().saturating_sub(MESSAGE_IDS_MAX));
            if self.note(part.clone()).await.is_err() {
                delivered.extend(part);
                break;
            }
            self.unnoted = self.unnoted.saturating_sub(part.len());
        }
        self.outlet.still_delivered(delivered);
        let again = self.streams.pace.next_round() + self.streams.pace.round;
        self.note_at = (self.unnoted > 0).then_some(again);
    }

    /// The stream waits for this, and no longer than it may take: it is given up then, or
    /// done, and can be done twice.
    async fn note(&self, message_ids: Vec<MessageId>) -> Result<(), storage::Error> {
        let user = &self.reader.user;
        let operation = Operation::from(MarkMessagesDelivered {
            owner: user.profile().clone(),
            message_ids,
        });
        let deadline = Instant::now() + NOTE_WITHIN;
        let noted = async {
            // Only to be one of few; the semaphore is never closed.
            let _room = self.streams.noters.acquire().await;
            self.store.execute(user.app(), operation, deadline).await
        };
        let noted = timeout_at(deadline.into(), noted).await;
        noted.unwrap_or(Err(storage::Error::Deadline)).map(drop)
    }
}

/// The entry that is delivered with a change for the first time.
pub(super) fn undelivered(change: &FeedChange) -> Option<MessageId> {
    let (FeedChange::Received(item) | FeedChange::Updated(item)) = change else {
        return None;
    };
    let entry = &item.entry;
    let is_first = entry.msgbox == Msgbox::Inbox && entry.delivered_ms.is_none();
    is_first.then_some(entry.message_id)
}
