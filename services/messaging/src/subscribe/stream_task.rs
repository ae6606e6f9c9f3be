//! The task of a stream: reads the feed of a mailbox and fills the send buffer.

mod deliveries;
mod end;
mod token_check;

use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::MessageId;
use domain::mailbox::Counts;
use proto::v1;
use proto::v1::event::Frame;
use realtime::{Subscription, SubscriptionEvent};
use rpc::User;
use rpc::convert::feed::{self, FeedFilter};
use storage::{FeedChange, FeedLimits, FeedPage, FeedPosition, FeedStart, MailStore};
use telemetry::{FrameKind, OpenStream};
use tokio::time::{sleep_until, timeout};

use self::deliveries::first_delivery;
pub use self::end::StreamDeadlines;
use self::end::StreamEnd;
use super::send_buffer::{Outgoing, SendBuffer};
use super::{Streams, lag};

/// Timeout of a read: longer than the databases' own timeouts, so that it ends only a read
/// that hangs.
const READ_MAX: Duration = Duration::from_secs(6);
/// Number of retries of a failed read before the stream ends.
const RETRIES_MAX: u32 = 10;

/// Reader of a stream, and the part of the feed that it has seen.
pub struct FeedReader {
    pub user: User,
    pub filter: FeedFilter,
    pub since: FeedStart,
}

/// Task of one stream.
pub struct StreamTask {
    store: Arc<dyn MailStore>,
    subscription: Subscription,
    buffer: SendBuffer,
    reader: FeedReader,
    deadlines: StreamDeadlines,
    /// Time of the next check of the token.
    token_check_at: Instant,
    streams: Arc<Streams>,
    open: OpenStream,
    /// Counts that the subscriber was sent last; none if changes followed.
    counts: Option<Counts>,
    has_caught_up: bool,
    idle_since: Instant,
    /// Time of the next marking of deliveries; none if there are no deliveries to mark.
    mark_at: Option<Instant>,
    /// Number of deliveries that are not marked yet.
    unmarked: usize,
}

/// Event that wakes an idle stream.
enum Wakeup {
    Changed,
    Timer,
    End(StreamEnd),
}

impl StreamTask {
    pub fn new(
        store: Arc<dyn MailStore>,
        subscription: Subscription,
        buffer: SendBuffer,
        reader: FeedReader,
        deadlines: StreamDeadlines,
        streams: Arc<Streams>,
    ) -> Self {
        let open = streams.metrics.opened();
        Self {
            open,
            store,
            subscription,
            buffer,
            reader,
            deadlines,
            token_check_at: streams.timing.next_token_check(),
            streams,
            counts: None,
            has_caught_up: false,
            idle_since: Instant::now(),
            mark_at: None,
            unmarked: 0,
        }
    }

    /// Follows the mailbox until the stream ends, and ends it.
    pub async fn run(mut self) {
        let end = match self.follow().await {
            Err(end) => end,
            Ok(never) => match never {},
        };
        self.open.ends(self.end_reason(&end));
        let error = match end {
            StreamEnd::Disconnected => None,
            StreamEnd::Failed(error) => Some(error),
            StreamEnd::Reconnect => self.send_reconnect().err(),
        };
        // Deliveries that the subscriber takes after this are never marked.
        if self.unmarked > 0 {
            Box::pin(self.buffer.flushed()).await;
        }
        Box::pin(self.mark_deliveries()).await;
        self.buffer.end(error);
    }

    /// Sends changes until the stream ends. The futures of rare work are boxed, so that an idle
    /// stream, as most are, keeps no memory for them.
    async fn follow(&mut self) -> Result<Infallible, StreamEnd> {
        loop {
            let position = Box::pin(self.catch_up()).await?;
            loop {
                match self.next(position).await {
                    Wakeup::Changed => break,
                    Wakeup::Timer => Box::pin(self.on_timer(position)).await?,
                    Wakeup::End(end) => return Err(end),
                }
            }
        }
    }

    /// Sends all changes up to the head of the feed, and returns the subscriber's position.
    async fn catch_up(&mut self) -> Result<FeedPosition, StreamEnd> {
        loop {
            let part = self.unless_ended(self.buffer.free_space()).await?;
            let read = match self.arrived() {
                Some(read) => read,
                None => self.read(part).await?,
            };
            if read.mailbox != self.subscription.mailbox() {
                // The mailbox was restored under another number, which has no subscription here.
                return Err(StreamEnd::Reconnect);
            }
            let (position, more) = (read.reached, read.more);
            self.send(read).await?;
            self.reader.since = FeedStart::After(position);
            if !more {
                return Ok(position);
            }
            self.check_end()?;
            self.check_token().await?;
        }
    }

    /// Returns the single message that has arrived since the subscriber was at the head, if the
    /// subscription holds it.
    fn arrived(&mut self) -> Option<FeedPage> {
        match &self.reader.since {
            FeedStart::After(position) if self.has_caught_up => self.subscription.arrived(position),
            FeedStart::Head | FeedStart::Beginning | FeedStart::After(_) => None,
        }
    }

    /// Reads the next part of the feed, with retries.
    async fn read(&self, part: FeedLimits) -> Result<FeedPage, StreamEnd> {
        let user = &self.reader.user;
        let part = FeedLimits {
            only: self.reader.filter.only,
            ..part
        };
        let mut retries = 0;
        loop {
            let since = self.reader.since;
            let read = self.store.changes(user.app(), user.profile(), since, part);
            let read = timeout(READ_MAX, read).await;
            match read.unwrap_or(Err(storage::Error::Deadline)) {
                Ok(mut read) => {
                    feed::fit(&mut read, part.bytes_max);
                    return Ok(read);
                }
                Err(error) if retries >= RETRIES_MAX || !is_transient(&error) => {
                    return Err(error.into());
                }
                Err(error) => tracing::debug!(error.source = error.chain(), "feed.read_failed"),
            }
            retries += 1;
            tokio::time::sleep(self.streams.timing.retry_after()).await;
            self.check_end()?;
        }
    }

    async fn send(&mut self, read: FeedPage) -> Result<(), StreamEnd> {
        let at_head = !read.more;
        if let Some(broken) = read.resync {
            self.counts = Some(read.counts);
            self.send_frame(
                FrameKind::Resync,
                feed::resync(broken, &read.counts),
                read.reached,
            )
            .await?;
        }
        for (position, change) in read.changes {
            if self.reader.filter.shows(&change) {
                self.record_lag(&change);
                self.counts = None;
                let delivers = first_delivery(&change);
                self.send_item(Outgoing::Change(change), position, delivers)
                    .await?;
            }
        }
        if at_head && self.counts != Some(read.counts) {
            self.counts = Some(read.counts);
            self.send_frame(FrameKind::Counts, feed::counted(&read.counts), read.reached)
                .await?;
        }
        if at_head && !mem::replace(&mut self.has_caught_up, true) {
            let frame = Frame::CaughtUp(v1::CaughtUp {});
            self.send_frame(FrameKind::CaughtUp, frame, read.reached)
                .await?;
        }
        Ok(())
    }

    /// Records the lag of a change that did not wait for its reader.
    fn record_lag(&self, change: &FeedChange) {
        if self.has_caught_up
            && let Some(lag) = lag::of(change)
        {
            self.streams.feed_metrics.delivered(lag);
        }
    }

    async fn send_frame(
        &mut self,
        kind: FrameKind,
        frame: Frame,
        position: FeedPosition,
    ) -> Result<(), StreamEnd> {
        self.send_item(Outgoing::Frame(kind, Box::new(frame)), position, None)
            .await
    }

    async fn send_item(
        &mut self,
        outgoing: Outgoing,
        position: FeedPosition,
        delivers: Option<MessageId>,
    ) -> Result<(), StreamEnd> {
        let sent = self.buffer.send(outgoing, position, delivers);
        self.unless_ended(sent).await?;
        self.reader.since = FeedStart::After(position);
        self.idle_since = Instant::now();
        if delivers.is_some() {
            self.unmarked += 1;
            self.mark_at
                .get_or_insert_with(|| self.streams.timing.next_delivery_tick());
        }
        Ok(())
    }

    /// Waits for the next event.
    async fn next(&mut self, position: FeedPosition) -> Wakeup {
        let heartbeat = self.idle_since + self.streams.timing.heartbeat;
        let first = heartbeat.min(self.deadlines.first());
        let first = first.min(self.token_check_at);
        let first = self.mark_at.map_or(first, |mark_at| mark_at.min(first));
        tokio::select! {
            () = self.buffer.disconnected() => Wakeup::End(StreamEnd::Disconnected),
            () = sleep_until(first.into()) => Wakeup::Timer,
            event = self.subscription.next_event(position.offset.seq) => match event {
                SubscriptionEvent::Changed => Wakeup::Changed,
                SubscriptionEvent::Draining => Wakeup::End(StreamEnd::Reconnect),
            },
        }
    }

    /// Ends the stream, marks deliveries or sends a heartbeat, whichever is due.
    async fn on_timer(&mut self, position: FeedPosition) -> Result<(), StreamEnd> {
        self.check_end()?;
        self.check_token().await?;
        let now = Instant::now();
        if self.mark_at.is_some_and(|at| at <= now) {
            self.mark_deliveries().await;
        }
        if self.idle_since + self.streams.timing.heartbeat <= now {
            let frame = Frame::Heartbeat(v1::Heartbeat {});
            self.send_frame(FrameKind::Heartbeat, frame, position)
                .await?;
        }
        Ok(())
    }
}

/// Returns true if a retry of the read may succeed.
const fn is_transient(error: &storage::Error) -> bool {
    use storage::Error as E;
    match error {
        E::Overloaded | E::Busy(_) | E::Deadline | E::Unavailable(_) | E::Unknown(_) => true,
        E::Refused(_) | E::Corrupt { .. } | E::Internal(_) => false,
    }
}
