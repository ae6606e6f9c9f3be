//! Messages that were written or read before. A version of a message never changes in one life of a
//! database, and the entry that leads to it names the version: so what is remembered is never
//! wrong, only perhaps no longer asked for.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Message, MessageId};
use foldhash::fast::RandomState;
use moka::sync::Cache;
use uuid::Uuid;

/// Bytes that a message takes beside what differs from message to message.
const FIXED_BYTES: usize = 512;

type Key = (Uuid, i64, MessageId, i64);

/// The messages that are remembered, by the life of the database, app, id and version.
pub struct Contents(Cache<Key, Arc<Message>, RandomState>);

impl Contents {
    /// Remembers as much as fits into so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        let cache = Cache::builder()
            .max_capacity(bytes_max)
            .weigher(|_, message: &Arc<Message>| weight(message));
        Self(cache.build_with_hasher(RandomState::default()))
    }

    /// A version of a message, if it is remembered.
    pub fn get(
        &self,
        epoch: Uuid,
        app_no: i64,
        message_id: MessageId,
        version: i64,
    ) -> Option<Arc<Message>> {
        self.0.get(&(epoch, app_no, message_id, version))
    }

    /// Remembers a message as it is now.
    pub fn keep(&self, epoch: Uuid, app_no: i64, message: &Arc<Message>) {
        let envelope = &message.envelope;
        let key = (epoch, app_no, envelope.message_id, envelope.version);
        self.0.insert(key, Arc::clone(message));
    }
}

/// How many bytes a message takes.
pub fn weight(message: &Message) -> u32 {
    let envelope = &message.envelope;
    let recipients = envelope
        .to
        .iter()
        .map(|to| size_of_val(to) + to.as_str().len());
    let bytes = FIXED_BYTES
        + message.content.encoded.len()
        + envelope.notification.as_ref().map_or(0, Bytes::len)
        + recipients.sum::<usize>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
