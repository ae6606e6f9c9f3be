//! Messages that were written or read before. A version of a message never changes in one life of a
//! database, and the entry that leads to it names the version: so what is remembered is never
//! wrong, only perhaps no longer asked for.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Message, MessageId};
use foldhash::fast::RandomState;
use moka::sync::Cache;

/// Bytes that a message takes beside what differs from message to message.
const FIXED_BYTES: usize = 512;

type Key = (i64, MessageId, i64);

/// The messages that are remembered, by app, id and version.
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
    pub fn get(&self, app_no: i64, message_id: MessageId, version: i64) -> Option<Arc<Message>> {
        self.0.get(&(app_no, message_id, version))
    }

    /// Forgets all: in another life of the database a version may be another one.
    pub fn forget_all(&self) {
        self.0.invalidate_all();
    }

    /// Remembers a message as it is now.
    pub fn keep(&self, app_no: i64, message: &Arc<Message>) {
        let envelope = &message.envelope;
        let key = (app_no, envelope.message_id, envelope.version);
        self.0.insert(key, Arc::clone(message));
    }
}

fn weight(message: &Message) -> u32 {
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
