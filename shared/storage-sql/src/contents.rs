//! Messages that were written or read before. A version of a message never changes in one life of a
//! database, and the entry that leads to it names the version: so what is remembered is never
//! wrong, only perhaps no longer asked for.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Message, MessageId};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use uuid::Uuid;

/// Bytes that a message takes beside what differs from message to message.
const FIXED_BYTES: usize = 512;

type Key = (Uuid, i64, MessageId, i64);

/// The messages that are remembered, by the life of the database, app, id and version.
pub struct Contents(Cache<Key, Arc<Message>, Weight>);

impl Contents {
    /// Remembers as much as fits into so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        let about = usize::try_from(bytes_max).unwrap_or(usize::MAX) / (2 * FIXED_BYTES);
        Self(Cache::with_weighter(about, bytes_max, Weight))
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

    /// Remembers a message as it is now. Not that of a segment: what it says changes before the
    /// entries that lead to it do.
    pub fn keep(&self, epoch: Uuid, app_no: i64, message: &Arc<Message>) {
        let envelope = &message.envelope;
        if envelope.segment.is_some() {
            return;
        }
        let key = (epoch, app_no, envelope.message_id, envelope.version);
        self.0.insert(key, Arc::clone(message));
    }
}

/// Messages weigh the bytes that they take.
#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Message>> for Weight {
    fn weight(&self, _: &Key, message: &Arc<Message>) -> u64 {
        weight(message) as u64
    }
}

/// How many bytes a message takes.
pub fn weight(message: &Message) -> usize {
    let envelope = &message.envelope;
    let recipients = envelope
        .to
        .iter()
        .map(|to| size_of_val(to) + to.as_str().len());
    FIXED_BYTES
        + message.content.encoded.len()
        + envelope.notification.as_ref().map_or(0, Bytes::len)
        + recipients.sum::<usize>()
}
