//! A cache of messages by version.
//!
//! A version of a message never changes in one epoch, and the entry that leads to it names the
//! version: a cached message is never wrong, at worst it is not asked for again. No message stays for
//! more than an hour, so that deleted ones leave the memory of all replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use domain::limits::MINUTE_MS;
use domain::number::saturating;
use domain::{Message, MessageId, Millis};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use telemetry::CacheMetrics;
use uuid::Uuid;

/// Bytes of a cached message beside its content, notification and recipients.
const FIXED_BYTES: usize = 512;

/// Age from which on a message is dropped, in milliseconds.
const AGE_MAX_MS: i64 = 55 * MINUTE_MS;
/// Time between two searches for messages of that age, in milliseconds.
const AGE_CHECK_MS: i64 = 4 * MINUTE_MS;

/// Epoch, app, message, version.
type MessageVersionKey = (Uuid, i64, MessageId, i64);

/// A cache of messages, bounded by their bytes.
pub struct MessageCache {
    messages: Cache<MessageVersionKey, CachedMessage, ByteWeighter>,
    /// Time of the last search for old messages: messages that are cached after it count as cached
    /// at it.
    age_check_ms: AtomicI64,
    metrics: CacheMetrics,
}

#[derive(Clone)]
struct CachedMessage {
    message: Arc<Message>,
    since_ms: i64,
}

impl MessageCache {
    /// A cache of at most `bytes_max` bytes; 0: of nothing.
    pub fn new(bytes_max: u64) -> Self {
        let messages = saturating::<usize, _>(bytes_max) / (2 * FIXED_BYTES);
        Self {
            messages: Cache::with_weighter(messages, bytes_max, ByteWeighter),
            age_check_ms: AtomicI64::new(0),
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
        let key = (epoch, app_no, message_id, version);
        self.messages.get(&key).map(|cached| cached.message)
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
        let cached = CachedMessage {
            message: Arc::clone(message),
            since_ms: self.age_check_ms.load(Ordering::Relaxed),
        };
        self.messages.insert(key, cached);
    }

    /// Drops the messages that have been cached for long, if it is time to search for them.
    pub fn drop_old(&self, now: Millis) {
        let last_ms = self.age_check_ms.load(Ordering::Relaxed);
        if now.0.abs_diff(last_ms) < AGE_CHECK_MS.unsigned_abs() {
            return;
        }
        self.age_check_ms.store(now.0, Ordering::Relaxed);
        let is_young = |cached: &CachedMessage| now.0 - cached.since_ms < AGE_MAX_MS;
        self.messages.retain(|_, cached| is_young(cached));
    }
}

/// Weighs messages by their bytes.
#[derive(Clone)]
struct ByteWeighter;

impl Weighter<MessageVersionKey, CachedMessage> for ByteWeighter {
    fn weight(&self, _: &MessageVersionKey, cached: &CachedMessage) -> u64 {
        weight(&cached.message) as u64
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

#[cfg(test)]
mod tests {
    use domain::content::ContentKind;
    use domain::message::Envelope;
    use domain::{Content, MessageKind, Millis, Sender};

    use super::*;

    #[test]
    fn a_cached_message_is_dropped_within_an_hour() {
        let cache = MessageCache::new(1_000_000);
        let message_id = MessageId::new(Uuid::from_u128(1));
        let message = Arc::new(Message {
            envelope: Envelope {
                message_id,
                kind: MessageKind::System,
                sender: Sender::default(),
                to: Vec::new(),
                segment: None,
                notification: None,
                version: 1,
                modified: false,
                send_ms: Millis(1),
                update_ms: Millis(1),
                expire_ms: Millis(9),
                size_bytes: 6,
            },
            content: Content {
                kind: ContentKind::Json,
                encoded: Bytes::from_static(b"secret"),
                digest: [0; 32],
            },
        });
        let is_cached = || cache.get(Uuid::nil(), 1, message_id, 1).is_some();
        let drop_old = |minutes| cache.drop_old(Millis(minutes * MINUTE_MS));
        drop_old(1_000);
        cache.insert(Uuid::nil(), 1, &message);
        drop_old(1_054);
        assert!(is_cached());
        drop_old(1_057);
        assert!(is_cached(), "searched three minutes ago");
        drop_old(1_058);
        assert!(!is_cached());
    }
}
