//! A cache of messages by version.
//!
//! A version of a message never changes in one epoch, and the entry that leads to it names the
//! version: a cached message is never wrong, at worst it is not asked for again.

use std::sync::Arc;

use bytes::Bytes;
use domain::number::saturating;
use domain::{Message, MessageId};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use telemetry::CacheMetrics;
use uuid::Uuid;

/// Bytes of a cached message beside its content, notification and recipients.
const FIXED_BYTES: usize = 512;

/// Epoch, app, message, version.
type MessageVersionKey = (Uuid, i64, MessageId, i64);

/// A cache of messages, bounded by their bytes.
pub struct MessageCache {
    messages: Cache<MessageVersionKey, Arc<Message>, ByteWeighter>,
    metrics: CacheMetrics,
}

impl MessageCache {
    /// A cache of at most `bytes_max` bytes; 0: of nothing.
    pub fn new(bytes_max: u64) -> Self {
        let messages = saturating::<usize, _>(bytes_max) / (2 * FIXED_BYTES);
        Self {
            messages: Cache::with_weighter(messages, bytes_max, ByteWeighter),
            metrics: CacheMetrics::new("message"),
        }
    }

    /// Returns a version of a message, if it is cached. The caller records the look-ups of a
    /// read together, by [`Self::record`].
    pub fn get(
        &self,
        epoch: Uuid,
        app_no: i64,
        message_id: MessageId,
        version: i64,
    ) -> Option<Arc<Message>> {
        self.messages.get(&(epoch, app_no, message_id, version))
    }

    /// Records look-ups by what they found.
    pub fn record(&self, found: &[Option<Arc<Message>>]) {
        let hits = found.iter().flatten().count();
        self.metrics.record_all(hits, found.len() - hits);
    }

    /// Caches the current version of a message. Messages to segments are not cached: their
    /// content changes before the entries that name its version do.
    pub fn insert(&self, epoch: Uuid, app_no: i64, message: &Arc<Message>) {
        let envelope = &message.envelope;
        if envelope.segment.is_some() {
            return;
        }
        let key = (epoch, app_no, envelope.message_id, envelope.version);
        self.messages.insert(key, Arc::clone(message));
    }
}

/// Weighs messages by their bytes.
#[derive(Clone)]
struct ByteWeighter;

impl Weighter<MessageVersionKey, Arc<Message>> for ByteWeighter {
    fn weight(&self, _: &MessageVersionKey, message: &Arc<Message>) -> u64 {
        weight(message) as u64
    }
}

/// Returns the bytes that a message takes in memory, approximately.
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
