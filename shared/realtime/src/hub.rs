//! The hub: one mark for each mailbox that somebody follows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::{Head, MailboxKey, Wake};
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

/// What is known of a mailbox: no event is kept, only that there may be some.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    /// The number of its last change, as far as that was heard.
    seq: i64,
    /// How often something may have been missed.
    doubts: u64,
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
            drain,
            ..
        } = self;
        tokio::select! {
            _ = drain.wait_for(|drains| *drains) => News::Draining,
            () = changed(mark, doubts, seen) => News::Changed,
        }
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

/// Neither this nor the drain ends before the hub does, which the subscription holds.
async fn changed(mark: &mut watch::Receiver<Mark>, doubts: &mut u64, seen: i64) {
    while mark.changed().await.is_ok() {
        let now = *mark.borrow_and_update();
        if now.doubts != *doubts || now.seq != seen {
            *doubts = now.doubts;
            return;
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
