//! Messages of entries, from the cache or from the database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::{Entry, Message, MessageId, Millis, ProfileId};
use storage::{Contention, Error, Item, Lookup};
use uuid::Uuid;

use super::messages::{self, DeletedSegments};
use crate::db::backend::Backend;
use crate::db::connection::Connection;
use crate::db::isolation::Isolation;
use crate::message_cache::MessageCache;

/// A reader of the messages of entries.
pub struct Messages<'a> {
    pub cache: &'a MessageCache,
    /// Last known epoch of the database.
    pub epoch: Uuid,
    pub app_no: i64,
    /// Owner of the entries.
    pub owner: &'a ProfileId,
    pub isolation: Isolation,
    pub now: Millis,
}

impl Messages<'_> {
    /// Returns the entries with their messages, up to `bytes_max` bytes of content, but one at
    /// least. Messages that are not in the cache are read.
    ///
    /// # Errors
    /// [`Error::Busy`] if a message has changed since its entry was read in another snapshot: the
    /// caller reads both again in one.
    pub async fn items<DB: Backend>(
        &self,
        connection: &mut Connection<DB>,
        entries: Vec<Entry>,
        bytes_max: i64,
    ) -> Result<Lookup<Item>, Error> {
        let mut known: Vec<_> = entries.iter().map(|entry| self.kept(entry)).collect();
        self.cache.record(&known);
        let mut large = HashSet::new();
        let mut unknown = Vec::new();
        for (entry, known) in entries.iter().zip(&known) {
            if known.is_none() && !unknown.contains(&entry.message_id) {
                unknown.push(entry.message_id);
            }
        }
        if !unknown.is_empty() {
            let (app_no, now) = (self.app_no, self.now);
            let segments = DeletedSegments::Included;
            let read = messages::read(connection, app_no, &unknown, now, bytes_max, segments);
            let read = read.await?;
            large.extend(read.remaining);
            let found = read.found.into_iter().map(|mut message| {
                if message.envelope.segment.is_some() {
                    // A segment has too many recipients to show; an owner sees the own id.
                    message.envelope.to = vec![self.owner.clone()];
                }
                let message = Arc::new(message);
                self.cache.insert(self.epoch, self.app_no, &message);
                (message.envelope.message_id, message)
            });
            let found: HashMap<MessageId, Arc<Message>> = found.collect();
            for (entry, known) in entries.iter().zip(&mut known) {
                if known.is_none() {
                    *known = found.get(&entry.message_id).cloned();
                }
            }
        }
        self.join(entries, known, &large, bytes_max)
    }

    /// Returns the message of an entry from the cache.
    fn kept(&self, entry: &Entry) -> Option<Arc<Message>> {
        let (message_id, version) = (entry.message_id, entry.content_version);
        self.cache.get(self.epoch, self.app_no, message_id, version)
    }

    fn join(
        &self,
        entries: Vec<Entry>,
        known: Vec<Option<Arc<Message>>>,
        large: &HashSet<MessageId>,
        bytes_max: i64,
    ) -> Result<Lookup<Item>, Error> {
        let mut items = Lookup {
            found: Vec::with_capacity(entries.len()),
            remaining: Vec::new(),
        };
        let mut room = usize::try_from(bytes_max).unwrap_or(0);
        for (entry, message) in entries.into_iter().zip(known) {
            let message_id = entry.message_id;
            let Some(message) = message else {
                if large.contains(&message_id) {
                    room = 0;
                    items.remaining.push(message_id);
                } else if self.isolation == Isolation::Statement {
                    return Err(torn());
                }
                continue;
            };
            let is_as_named = message.envelope.version == entry.content_version;
            if self.isolation == Isolation::Statement && !is_as_named {
                return Err(torn());
            }
            let size = message.content.encoded.len();
            let fits = size <= room || items.found.is_empty();
            if fits && items.remaining.is_empty() {
                room = room.saturating_sub(size);
                items.found.push(Item { entry, message });
            } else {
                items.remaining.push(message_id);
            }
        }
        Ok(items)
    }
}

fn torn() -> Error {
    Error::Busy(Contention::ChangedDuringRead)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::content::ContentKind;
    use domain::message::Envelope;
    use domain::number::saturating;
    use domain::{Content, MessageKind, Msgbox, Sender};

    use super::*;

    fn entry(number: u128, content_version: i64) -> Entry {
        Entry {
            msgbox: Msgbox::Inbox,
            message_id: MessageId::new(Uuid::from_u128(number)),
            seq: 1,
            create_seq: 1,
            create_ms: Millis(1),
            update_ms: Millis(1),
            version: content_version,
            content_version,
            read_ms: None,
            delivered_ms: None,
            expire_ms: Millis(9),
            sender_id: None,
        }
    }

    fn message(number: u128, version: i64, size: usize) -> Message {
        Message {
            envelope: Envelope {
                message_id: MessageId::new(Uuid::from_u128(number)),
                kind: MessageKind::System,
                sender: Sender {
                    profile_id: None,
                    name: "app".to_owned(),
                    pic: String::new(),
                },
                to: Vec::new(),
                segment: None,
                notification: None,
                version,
                modified: version > 1,
                send_ms: Millis(1),
                update_ms: Millis(1),
                expire_ms: Millis(9),
                size_bytes: saturating(size),
            },
            content: Content {
                kind: ContentKind::Json,
                encoded: Bytes::from(vec![0; size]),
                digest: [0; 32],
            },
        }
    }

    /// Joins entries with messages, given as number, version and size.
    fn join(
        isolation: Isolation,
        entries: Vec<Entry>,
        messages: &[(u128, i64, usize)],
        bytes_max: i64,
    ) -> Result<(Vec<i64>, usize), Error> {
        let all = Messages {
            cache: &MessageCache::new(0),
            epoch: Uuid::nil(),
            app_no: 1,
            owner: &ProfileId::parse("ann").expect("a profile id"),
            isolation,
            now: Millis(1),
        };
        let known = entries.iter().map(|entry| {
            let of_it = |number| MessageId::new(Uuid::from_u128(number)) == entry.message_id;
            let known = messages.iter().find(|(number, ..)| of_it(*number));
            known.map(|&(number, version, size)| Arc::new(message(number, version, size)))
        });
        let known = known.collect();
        let items = all.join(entries, known, &HashSet::new(), bytes_max)?;
        let versions = items.found.iter().map(|item| item.message.envelope.version);
        Ok((versions.collect(), items.remaining.len()))
    }

    #[test]
    fn a_message_changed_after_its_entry_was_read_yields_busy() {
        let entries = || vec![entry(1, 1), entry(2, 1)];
        for messages in [&[(1, 1, 1), (2, 2, 1)][..], &[(1, 1, 1)]] {
            let apart = join(Isolation::Statement, entries(), messages, 100);
            assert!(matches!(apart, Err(Error::Busy(_))), "{apart:?}");
        }
        let in_one = join(Isolation::Snapshot, entries(), &[(1, 1, 1)], 100);
        assert_eq!(in_one.expect("items"), (vec![1], 0));
    }

    #[test]
    fn items_keep_the_order_and_stop_at_the_first_that_does_not_fit() {
        let entries = || (1..=3).map(|number| entry(number, 1)).collect();
        let messages = [(1, 1, 10), (2, 1, 10), (3, 1, 1)];
        for (bytes_max, found) in [(0, 1), (19, 1), (20, 2), (21, 3)] {
            let (versions, remaining) =
                join(Isolation::Statement, entries(), &messages, bytes_max).expect("items");
            assert_eq!(
                (versions.len(), remaining),
                (found, 3 - found),
                "{bytes_max}"
            );
        }
    }
}
