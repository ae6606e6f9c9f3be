//! The hub: what is known of each followed mailbox, and the streams to wake.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::{Arrival, ChangeListener, FeedPage, FeedPosition, MailboxHead, MailboxKey};
use telemetry::{FeedMetrics, WakeupSource};
use tokio::sync::{Notify, watch};

/// Followed mailboxes of this replica.
pub struct Hub {
    mailboxes: Mutex<HashMap<MailboxKey, FollowedMailbox>>,
    drain: watch::Sender<bool>,
    /// Notified when the store is to be polled without waiting for the interval.
    poll_now: Notify,
    is_database_replaced: AtomicBool,
    metrics: FeedMetrics,
}

/// A mailbox with at least one stream.
struct FollowedMailbox {
    state: watch::Sender<MailboxState>,
    streams: usize,
}

/// Last known state of a mailbox.
#[derive(Debug, Default)]
struct MailboxState {
    /// Last known seq; 0 before any notification or poll.
    seq: i64,
    /// Number of invalidations; each one requires a read from the store.
    invalidations: u64,
    /// Last change, if it is an arrival.
    last_arrival: Option<Arrival>,
}

/// Refusal of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscribeError {
    /// The mailbox has the maximum number of streams.
    TooManyStreams,
    /// The server is draining.
    Draining,
}

impl Hub {
    /// Hub without subscriptions.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            mailboxes: Mutex::default(),
            drain: watch::Sender::new(false),
            poll_now: Notify::new(),
            is_database_replaced: AtomicBool::new(false),
            metrics: FeedMetrics::new(),
        })
    }

    /// Subscribes to a mailbox that has fewer than `streams_max` streams. A read that starts after
    /// this misses no change without a wake-up.
    ///
    /// # Errors
    /// See [`SubscribeError`].
    pub fn subscribe(
        self: &Arc<Self>,
        mailbox: MailboxKey,
        streams_max: usize,
    ) -> Result<Subscription, SubscribeError> {
        let drain = self.drain.subscribe();
        if *drain.borrow() {
            return Err(SubscribeError::Draining);
        }
        let mut mailboxes = self.lock();
        let followed = mailboxes.entry(mailbox).or_insert_with(|| FollowedMailbox {
            state: watch::Sender::default(),
            streams: 0,
        });
        if followed.streams >= streams_max {
            return Err(SubscribeError::TooManyStreams);
        }
        followed.streams += 1;
        let state = followed.state.subscribe();
        let invalidations = state.borrow().invalidations;
        let slot = StreamSlot {
            hub: Arc::clone(self),
            mailbox,
        };
        Ok(Subscription {
            slot: Arc::new(slot),
            state,
            invalidations,
            is_invalid: false,
            drain,
        })
    }

    /// Tells all streams that the server is draining, and refuses further subscriptions.
    pub fn drain(&self) {
        self.drain.send_replace(true);
    }

    /// Keys of the followed mailboxes.
    pub(crate) fn mailboxes(&self) -> Vec<MailboxKey> {
        self.lock().keys().copied().collect()
    }

    /// Waits until the store is to be polled at once.
    pub(crate) async fn poll_requested(&self) {
        self.poll_now.notified().await;
    }

    /// Returns whether the database was replaced since the last call.
    pub(crate) fn take_database_replaced(&self) -> bool {
        self.is_database_replaced.swap(false, Ordering::AcqRel)
    }

    /// Makes all streams of these mailboxes read from the store.
    pub(crate) fn invalidate(&self, mailboxes: &[MailboxKey]) {
        let followed = self.lock();
        for followed in mailboxes.iter().filter_map(|key| followed.get(key)) {
            followed.state.send_modify(|state| {
                *state = MailboxState {
                    seq: 0,
                    invalidations: state.invalidations + 1,
                    last_arrival: None,
                };
            });
        }
    }

    /// Applies the heads that a poll has read. A seq lower than the known one is that of a restored
    /// database, or was read before the last notification: the streams are woken to read, and
    /// nothing that was notified is lost.
    pub(crate) fn apply_poll(&self, heads: &[MailboxHead]) {
        let mut missed = 0;
        self.update(heads, |state, polled| {
            state.invalidations += u64::from(polled < state.seq);
            missed += usize::from(state.seq > 0 && polled > state.seq);
            polled != state.seq
        });
        self.metrics.woken(WakeupSource::Poll, missed);
    }

    /// Sets the seq of those mailboxes for which `is_news` is true, and wakes their streams.
    fn update(
        &self,
        heads: &[MailboxHead],
        mut is_news: impl FnMut(&mut MailboxState, i64) -> bool,
    ) {
        let mailboxes = self.lock();
        for head in heads {
            if let Some(followed) = mailboxes.get(&head.mailbox) {
                followed.state.send_if_modified(|state| {
                    let is_news = is_news(state, head.seq);
                    if is_news {
                        state.seq = head.seq;
                        state
                            .last_arrival
                            .take_if(|arrival| arrival.offset.seq != head.seq);
                    }
                    is_news
                });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MailboxKey, FollowedMailbox>> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn metrics(&self) -> &FeedMetrics {
        &self.metrics
    }
}

impl ChangeListener for Hub {
    /// Keeps the arrivals. The streams are woken by [`Self::on_changed`], which follows.
    fn on_arrivals(&self, arrivals: Vec<Arrival>) {
        let mailboxes = self.lock();
        for arrival in arrivals {
            if let Some(followed) = mailboxes.get(&arrival.mailbox) {
                followed.state.send_if_modified(|state| {
                    state.last_arrival = Some(arrival);
                    false
                });
            }
        }
    }

    fn on_changed(&self, heads: &[MailboxHead]) {
        let mut woken = 0;
        self.update(heads, |state, notified| {
            let is_news = state.seq < notified;
            woken += usize::from(is_news);
            is_news
        });
        if woken > 0 {
            self.metrics.woken(WakeupSource::Notification, woken);
        }
        if heads.iter().any(|head| head.mailbox.is_all()) {
            self.poll_now.notify_one();
        }
    }

    /// Requests one poll of all followed mailboxes, instead of a read by each stream.
    fn on_hints_lost(&self) {
        self.poll_now.notify_one();
    }

    fn on_database_replaced(&self) {
        self.is_database_replaced.store(true, Ordering::Release);
        self.poll_now.notify_one();
    }
}

/// Slot of a stream among those of its mailbox, occupied until this is dropped.
pub struct StreamSlot {
    hub: Arc<Hub>,
    mailbox: MailboxKey,
}

/// Subscription of a stream to a mailbox, until this is dropped.
pub struct Subscription {
    slot: Arc<StreamSlot>,
    state: watch::Receiver<MailboxState>,
    invalidations: u64,
    /// Set by an invalidation until the next read from the store.
    is_invalid: bool,
    drain: watch::Receiver<bool>,
}

/// Event of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// The mailbox may have changed.
    Changed,
    /// The server is draining.
    Draining,
}

impl Subscription {
    /// Slot of the stream. It is free once all of its holders have dropped it, so that buffered
    /// frames count like a stream.
    #[must_use]
    pub fn slot(&self) -> Arc<StreamSlot> {
        Arc::clone(&self.slot)
    }

    /// Waits for the next event of a stream that has seen the changes up to `seen`. Cancel safe.
    pub async fn next_event(&mut self, seen: i64) -> SubscriptionEvent {
        let Self {
            state,
            invalidations,
            is_invalid,
            drain,
            ..
        } = self;
        tokio::select! {
            _ = drain.wait_for(|drains| *drains) => SubscriptionEvent::Draining,
            now = changed(state, *invalidations, seen) => {
                *is_invalid |= *invalidations != now;
                *invalidations = now;
                SubscriptionEvent::Changed
            }
        }
    }

    /// Returns the feed after `seen` without a read, if it is known to be the last arrival alone.
    /// `None` means that the store must be read.
    pub fn arrived(&mut self, seen: &FeedPosition) -> Option<FeedPage> {
        if std::mem::take(&mut self.is_invalid) {
            return None;
        }
        let state = self.state.borrow();
        let last = state.last_arrival.as_ref();
        last.filter(|arrival| arrival.offset.seq == state.seq)?
            .feed_page_after(seen)
    }

    /// Key of the mailbox.
    #[must_use]
    pub fn mailbox(&self) -> MailboxKey {
        self.slot.mailbox
    }

    /// Waits until the server is draining.
    pub async fn drain_begun(&self) {
        // The sender lives as long as the hub, which the slot holds.
        let _ = self.drain.clone().wait_for(|drains| *drains).await;
    }

    /// Returns whether the server is draining.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.drain.borrow()
    }
}

/// Waits for an invalidation or for a seq other than `seen`, and returns the number of
/// invalidations. The sender lives as long as the hub, which the subscription's slot holds.
async fn changed(state: &mut watch::Receiver<MailboxState>, invalidations: u64, seen: i64) -> u64 {
    let is_news = |state: &MailboxState| state.invalidations != invalidations || state.seq != seen;
    loop {
        let ended = state.changed().await.is_err();
        let now = state.borrow_and_update();
        if ended || is_news(&now) {
            return now.invalidations;
        }
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let mut mailboxes = self.hub.lock();
        if let Entry::Occupied(mut entry) = mailboxes.entry(self.mailbox) {
            entry.get_mut().streams -= 1;
            if entry.get().streams == 0 {
                entry.remove();
            }
        }
    }
}
