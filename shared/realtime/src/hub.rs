//! The hub: one mark for each mailbox that somebody follows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::{Arrival, Bookmark, Feed, Head, MailboxKey, Wake};
use tokio::sync::{Notify, watch};

/// The mailboxes that somebody follows.
pub struct Hub {
    followed: Mutex<HashMap<MailboxKey, Followed>>,
    drain: watch::Sender<bool>,
    /// Whenever the store is to be asked at once.
    stirred: Notify,
    is_replaced: AtomicBool,
}

/// A mailbox that somebody follows.
struct Followed {
    mark: watch::Sender<Mark>,
    streams: usize,
}

/// What is known of a mailbox: that there may be events, and never more of them than the
/// last one.
#[derive(Debug, Default)]
struct Mark {
    /// The number of its last change, as far as that was heard.
    seq: i64,
    /// How often something may have been missed.
    doubts: u64,
    /// Its last change, if that is a message that came.
    arrival: Option<Arrival>,
}

/// Why somebody may not follow a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// As many follow it as may.
    TooMany,
    /// The server is going away.
    Draining,
}

impl Hub {
    /// A hub that nobody follows anything on.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            followed: Mutex::default(),
            drain: watch::Sender::new(false),
            stirred: Notify::new(),
            is_replaced: AtomicBool::new(false),
        })
    }

    /// Follows a mailbox, if fewer than `streams_max` do. Whoever reads it after this hears
    /// of all that the read did not see.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn subscribe(
        self: &Arc<Self>,
        mailbox: MailboxKey,
        streams_max: usize,
    ) -> Result<Subscription, Refused> {
        let drain = self.drain.subscribe();
        if *drain.borrow() {
            return Err(Refused::Draining);
        }
        let mut followed = self.followed();
        let followed = followed.entry(mailbox).or_insert_with(|| Followed {
            mark: watch::Sender::default(),
            streams: 0,
        });
        if followed.streams >= streams_max {
            return Err(Refused::TooMany);
        }
        followed.streams += 1;
        let mark = followed.mark.subscribe();
        let doubts = mark.borrow().doubts;
        let place = Place {
            hub: Arc::clone(self),
            mailbox,
        };
        Ok(Subscription {
            place: Arc::new(place),
            mark,
            doubts,
            doubtful: false,
            drain,
        })
    }

    /// Tells all who follow anything that the server is going away.
    pub fn drain(&self) {
        self.drain.send_replace(true);
    }

    /// The mailboxes that somebody follows.
    pub(crate) fn mailboxes(&self) -> Vec<MailboxKey> {
        self.followed().keys().copied().collect()
    }

    /// Until the store is to be asked at once.
    pub(crate) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Whether the store was replaced since this was last asked.
    pub(crate) fn was_replaced(&self) -> bool {
        self.is_replaced.swap(false, Ordering::AcqRel)
    }

    /// Has all who follow these look, whatever is known of them.
    pub(crate) fn doubt(&self, mailboxes: &[MailboxKey]) {
        let followed = self.followed();
        for followed in mailboxes.iter().filter_map(|key| followed.get(key)) {
            followed.mark.send_modify(|mark| {
                *mark = Mark {
                    seq: 0,
                    doubts: mark.doubts + 1,
                    arrival: None,
                };
            });
        }
    }

    /// Takes what the store itself says. A lower number than before may be that of a
    /// database that was restored, or older than what was heard meanwhile: it is news, and
    /// takes none away.
    pub(crate) fn polled(&self, heads: &[Head]) {
        self.mark(heads, |mark, polled| {
            mark.doubts += u64::from(polled < mark.seq);
            polled != mark.seq
        });
    }

    fn mark(&self, heads: &[Head], is_news: impl Fn(&mut Mark, i64) -> bool) {
        let followed = self.followed();
        for head in heads {
            if let Some(followed) = followed.get(&head.mailbox) {
                followed.mark.send_if_modified(|mark| {
                    let is_news = is_news(mark, head.seq);
                    if is_news {
                        mark.seq = head.seq;
                        mark.arrival.take_if(|it| it.position.seq != head.seq);
                    }
                    is_news
                });
            }
        }
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<MailboxKey, Followed>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Hub {
    /// Wakes nobody: that they have changed does.
    fn arrived(&self, arrivals: Vec<Arrival>) {
        let followed = self.followed();
        for arrival in arrivals {
            if let Some(followed) = followed.get(&arrival.mailbox) {
                followed.mark.send_if_modified(|mark| {
                    mark.arrival = Some(arrival);
                    false
                });
            }
        }
    }

    fn changed(&self, heads: &[Head]) {
        self.mark(heads, |mark, heard| mark.seq < heard);
        if heads.iter().any(|head| head.mailbox.is_all()) {
            self.stirred.notify_one();
        }
    }

    /// The store is asked for all of them at once: they need not all look for themselves.
    fn lost(&self) {
        self.stirred.notify_one();
    }

    fn replaced(&self) {
        self.is_replaced.store(true, Ordering::Release);
        self.stirred.notify_one();
    }
}

/// One of the places that a mailbox has for those who follow it.
pub struct Place {
    hub: Arc<Hub>,
    mailbox: MailboxKey,
}

/// Somebody who follows a mailbox, until this is dropped.
pub struct Subscription {
    place: Arc<Place>,
    mark: watch::Receiver<Mark>,
    doubts: u64,
    /// Whether there were new ones since the store was last asked.
    doubtful: bool,
    drain: watch::Receiver<bool>,
}

/// What a subscription waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// There may be something to see.
    Changed,
    /// The server is going away.
    Draining,
}

impl Subscription {
    /// Its place. Whoever holds something on its behalf holds this too: it is free again
    /// when both are gone.
    #[must_use]
    pub fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    /// Until there is news for a reader that has seen all up to a number. Nothing is lost if
    /// this is dropped before.
    pub async fn news(&mut self, seen: i64) -> News {
        let Self {
            mark,
            doubts,
            doubtful,
            drain,
            ..
        } = self;
        tokio::select! {
            _ = drain.wait_for(|drains| *drains) => News::Draining,
            now = changed(mark, *doubts, seen) => {
                *doubtful |= *doubts != now;
                *doubts = now;
                News::Changed
            }
        }
    }

    /// All that there is to see, if that is one message, is known here, and nothing may have
    /// been missed. If this says nothing, the store is to be asked.
    pub fn arrived(&mut self, seen: &Bookmark) -> Option<Feed> {
        if std::mem::take(&mut self.doubtful) {
            return None;
        }
        let mark = self.mark.borrow();
        let last = mark.arrival.as_ref();
        last.filter(|arrival| arrival.position.seq == mark.seq)?
            .after(seen)
    }

    /// What is followed.
    #[must_use]
    pub fn mailbox(&self) -> MailboxKey {
        self.place.mailbox
    }

    /// Until the server is going away.
    pub async fn draining(&self) {
        // It does not end before the hub does, which the place holds.
        let _ = self.drain.clone().wait_for(|drains| *drains).await;
    }

    /// Whether the server is going away.
    #[must_use]
    pub fn drains(&self) -> bool {
        *self.drain.borrow()
    }
}

/// The doubts, once there are others or something was not seen. Neither this nor the drain
/// ends before the hub does, which the subscription holds.
async fn changed(mark: &mut watch::Receiver<Mark>, doubts: u64, seen: i64) -> u64 {
    let is_news = |mark: &Mark| mark.doubts != doubts || mark.seq != seen;
    loop {
        let ended = mark.changed().await.is_err();
        let now = mark.borrow_and_update();
        if ended || is_news(&now) {
            return now.doubts;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut followed = self.hub.followed();
        if let Entry::Occupied(mut entry) = followed.entry(self.mailbox) {
            entry.get_mut().streams -= 1;
            if entry.get().streams == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use domain::content::ContentKind;
    use domain::mailbox::Counts;
    use domain::message::Envelope;
    use domain::{Content, Entry, Message, MessageId, MessageKind, Millis, Msgbox, Sender};
    use storage::{Item, Position};
    use uuid::Uuid;

    use super::*;

    const MAILBOX: MailboxKey = MailboxKey {
        app_no: 1,
        mailbox_id: 2,
    };

    fn head(seq: i64) -> [Head; 1] {
        [Head {
            mailbox: MAILBOX,
            seq,
        }]
    }

    /// The news that there is, if there is some.
    fn news(subscription: &mut Subscription, seen: i64) -> Option<News> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(subscription.news(seen)).poll(&mut context) {
            Poll::Ready(news) => Some(news),
            Poll::Pending => None,
        }
    }

    const EPOCH: Uuid = Uuid::nil();

    fn seen(seq: i64) -> Bookmark {
        Position { epoch: EPOCH, seq }.into()
    }

    fn arrival(seq: i64) -> Vec<Arrival> {
        let message_id = MessageId::new(Uuid::nil());
        let (send_ms, expire_ms) = (Millis(1), Millis(9));
        let message = Message {
            envelope: Envelope {
                message_id,
                kind: MessageKind::Regular,
                from: Sender::default(),
                to: Vec::new(),
                notification: None,
                version: 1,
                modified: false,
                send_ms,
                update_ms: send_ms,
                expire_ms,
            },
            content: Content {
                kind: ContentKind::Json,
                encoded: Vec::new().into(),
                digest: [0; 32],
            },
        };
        let entry = Entry {
            msgbox: Msgbox::Inbox,
            message_id,
            seq,
            create_seq: seq,
            create_ms: send_ms,
            update_ms: send_ms,
            version: 1,
            content_version: 1,
            read_ms: None,
            delivered_ms: None,
            expire_ms,
        };
        vec![Arrival {
            mailbox: MAILBOX,
            position: Position { epoch: EPOCH, seq },
            item: Item {
                entry,
                message: Arc::new(message),
            },
            counts: Counts::default(),
        }]
    }

    #[test]
    fn a_message_is_known_while_it_is_all_that_there_is_to_see() {
        let hub = Hub::new();
        let mut subscription = hub.subscribe(MAILBOX, 1).expect("a place");
        hub.arrived(arrival(5));
        assert_eq!(news(&mut subscription, 4), None);
        assert_eq!(subscription.arrived(&seen(4)), None);
        hub.changed(&head(5));
        assert_eq!(news(&mut subscription, 4), Some(News::Changed));
        let feed = subscription.arrived(&seen(4)).expect("a feed");
        assert_eq!((feed.changes.len(), feed.head, feed.more), (1, 5, false));
        for not_all in [3, 5, 6] {
            assert_eq!(subscription.arrived(&seen(not_all)), None, "{not_all}");
        }
        hub.changed(&head(6));
        assert_eq!(subscription.arrived(&seen(4)), None);
    }

    #[test]
    fn after_a_doubt_the_store_is_asked_once_whatever_comes() {
        let hub = Hub::new();
        let mut subscription = hub.subscribe(MAILBOX, 1).expect("a place");
        hub.doubt(&[MAILBOX]);
        hub.arrived(arrival(5));
        hub.changed(&head(5));
        assert_eq!(news(&mut subscription, 4), Some(News::Changed));
        assert_eq!(subscription.arrived(&seen(4)), None);
        assert!(subscription.arrived(&seen(4)).is_some());

        // A poll that is late, and takes back what has come since.
        hub.changed(&head(6));
        hub.polled(&head(5));
        hub.arrived(arrival(5));
        assert_eq!(news(&mut subscription, 4), Some(News::Changed));
        assert_eq!(subscription.arrived(&seen(4)), None);
    }

    #[test]
    fn a_change_wakes_those_who_have_not_seen_it() {
        let hub = Hub::new();
        let mut one = hub.subscribe(MAILBOX, 2).expect("a place");
        let mut other = hub.subscribe(MAILBOX, 2).expect("a place");
        hub.changed(&head(5));
        assert_eq!(news(&mut one, 4), Some(News::Changed));
        assert_eq!(news(&mut one, 5), None);
        assert_eq!(news(&mut other, 5), None);
        hub.changed(&head(4));
        assert_eq!(news(&mut one, 5), None);
    }

    #[test]
    fn a_poll_also_wakes_where_the_number_fell_and_doubt_wakes_in_any_case() {
        let hub = Hub::new();
        let mut subscription = hub.subscribe(MAILBOX, 2).expect("a place");
        hub.changed(&head(5));
        assert_eq!(news(&mut subscription, 4), Some(News::Changed));
        hub.polled(&head(5));
        assert_eq!(news(&mut subscription, 5), None);
        hub.polled(&head(3));
        assert_eq!(news(&mut subscription, 5), Some(News::Changed));
        hub.doubt(&[MAILBOX]);
        assert_eq!(news(&mut subscription, 3), Some(News::Changed));
        hub.polled(&head(3));
        assert_eq!(news(&mut subscription, 3), None);
    }

    #[test]
    fn lost_hints_wake_the_poll_and_nobody_else() {
        let hub = Hub::new();
        let mut subscription = hub.subscribe(MAILBOX, 2).expect("a place");
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(hub.stirred()).poll(&mut context).is_pending());
        hub.lost();
        assert_eq!(news(&mut subscription, 0), None);
        assert!(pin!(hub.stirred()).poll(&mut context).is_ready());
        assert!(!hub.was_replaced());
        hub.replaced();
        assert!(pin!(hub.stirred()).poll(&mut context).is_ready());
        assert!(hub.was_replaced() && !hub.was_replaced());
    }

    #[test]
    fn a_poll_that_is_late_takes_no_news_away() {
        let hub = Hub::new();
        let mut subscription = hub.subscribe(MAILBOX, 2).expect("a place");
        hub.changed(&head(6));
        hub.polled(&head(5));
        assert_eq!(news(&mut subscription, 5), Some(News::Changed));
        hub.polled(&head(6));
        assert_eq!(news(&mut subscription, 6), None);
    }

    #[test]
    fn who_is_gone_makes_room_and_is_forgotten() {
        let hub = Hub::new();
        let one = hub.subscribe(MAILBOX, 1).expect("a place");
        let refused = hub.subscribe(MAILBOX, 1).map(drop);
        assert_eq!(refused, Err(Refused::TooMany));
        let held = one.place();
        drop(one);
        let refused = hub.subscribe(MAILBOX, 1).map(drop);
        assert_eq!(refused, Err(Refused::TooMany));
        drop(held);
        assert!(hub.mailboxes().is_empty());
        let mut one = hub.subscribe(MAILBOX, 1).expect("a place");
        hub.drain();
        assert!(one.drains());
        assert_eq!(news(&mut one, 0), Some(News::Draining));
        let refused = hub.subscribe(MAILBOX, 9).map(drop);
        assert_eq!(refused, Err(Refused::Draining));
    }
}
