//! The hub: one mark for each mailbox that somebody follows.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::{Arrival, ChangeListener, FeedPage, FeedPosition, MailboxHead, MailboxKey};
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
    pub(crate) fn polled(&self, heads: &[MailboxHead]) {
        self.mark(heads, |mark, polled| {
            mark.doubts += u64::from(polled < mark.seq);
            polled != mark.seq
        });
    }

    fn mark(&self, heads: &[MailboxHead], is_news: impl Fn(&mut Mark, i64) -> bool) {
        let followed = self.followed();
        for head in heads {
            if let Some(followed) = followed.get(&head.mailbox) {
                followed.mark.send_if_modified(|mark| {
                    let is_news = is_news(mark, head.seq);
                    if is_news {
                        mark.seq = head.seq;
                        mark.arrival.take_if(|it| it.offset.seq != head.seq);
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

impl ChangeListener for Hub {
    /// Wakes nobody: that they have changed does.
    fn on_arrivals(&self, arrivals: Vec<Arrival>) {
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

    fn on_changed(&self, heads: &[MailboxHead]) {
        self.mark(heads, |mark, heard| mark.seq < heard);
        if heads.iter().any(|head| head.mailbox.is_all()) {
            self.stirred.notify_one();
        }
    }

    /// The store is asked for all of them at once: they need not all look for themselves.
    fn on_hints_lost(&self) {
        self.stirred.notify_one();
    }

    fn on_database_replaced(&self) {
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
    pub fn arrived(&mut self, seen: &FeedPosition) -> Option<FeedPage> {
        if std::mem::take(&mut self.doubtful) {
            return None;
        }
        let mark = self.mark.borrow();
        let last = mark.arrival.as_ref();
        last.filter(|arrival| arrival.offset.seq == mark.seq)?
            .feed_page_after(seen)
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
