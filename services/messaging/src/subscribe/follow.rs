//! Who reads the feed for one stream, for as long as it lasts.

mod deliveries;
mod ends;

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::MessageId;
use domain::mailbox::Counts;
use proto::v1;
use proto::v1::event::Frame;
use realtime::{News, Subscription};
use rpc::User;
use rpc::convert::feed::{self, Lens};
use storage::{FeedLimits, FeedPage, FeedPosition, FeedStart, MailStore};
use tokio::time::{sleep_until, timeout};

use self::deliveries::undelivered;
use self::ends::End;
pub use self::ends::Ends;
use super::Streams;
use super::outlet::{Outlet, Told};

/// How long a read may take: longer than a database lets itself take, so that what takes longer
/// hangs.
const READ_MAX: Duration = Duration::from_secs(6);
/// How often a store that is away is asked again before the stream ends.
const RETRIES_MAX: u32 = 10;

/// Who reads, what, and from where on.
pub struct Reader {
    pub user: User,
    pub lens: Lens,
    pub since: FeedStart,
}

/// One stream.
pub struct Follower {
    store: Arc<dyn MailStore>,
    subscription: Subscription,
    outlet: Outlet,
    reader: Reader,
    ends: Ends,
    streams: Arc<Streams>,
    /// What the reader has been told last that its boxes hold.
    counted: Option<Counts>,
    has_caught_up: bool,
    silent_since: Instant,
    /// When to look for what was delivered, and whether to look at all.
    note_at: Option<Instant>,
    /// Deliveries that are not noted yet.
    unnoted: usize,
}

/// What a follower waits for.
enum Event {
    Changed,
    Time,
    End(End),
}

impl Follower {
    pub fn new(
        store: Arc<dyn MailStore>,
        subscription: Subscription,
        outlet: Outlet,
        reader: Reader,
        ends: Ends,
        streams: Arc<Streams>,
    ) -> Self {
        Self {
            store,
            subscription,
            outlet,
            reader,
            ends,
            streams,
            counted: None,
            has_caught_up: false,
            silent_since: Instant::now(),
            note_at: None,
            unnoted: 0,
        }
    }

    /// Follows the mailbox until the stream ends, and ends it.
    pub async fn run(mut self) {
        let end = match self.follow().await {
            Err(end) => end,
            Ok(never) => match never {},
        };
        let error = match end {
            End::Gone => None,
            End::Failed(error) => Some(error),
            End::Reconnect => self.send_away().err(),
        };
        // What it takes later is never noted.
        if self.unnoted > 0 {
            Box::pin(self.outlet.emptied()).await;
        }
        Box::pin(self.note_deliveries()).await;
        self.outlet.end(error);
    }

    /// What is done only when something happens is boxed: a stream that waits, as most do at
    /// any time, keeps no room for it.
    async fn follow(&mut self) -> Result<std::convert::Infallible, End> {
        loop {
            let seen = Box::pin(self.catch_up()).await?;
            loop {
                match self.next(seen).await {
                    Event::Changed => break,
                    Event::Time => Box::pin(self.keep_time(seen)).await?,
                    Event::End(end) => return Err(end),
                }
            }
        }
    }

    /// Sends all that there is to see; where the reader is then.
    async fn catch_up(&mut self) -> Result<FeedPosition, End> {
        loop {
            let part = self.unless_it_ends(self.outlet.room()).await?;
            let read = match self.arrived() {
                Some(read) => read,
                None => self.read(part).await?,
            };
            if read.mailbox != self.subscription.mailbox() {
                // It was restored under another number, of which nobody tells this stream.
                return Err(End::Reconnect);
            }
            let (seen, more) = (read.reached, read.more);
            self.send(read).await?;
            self.reader.since = FeedStart::After(seen);
            if !more {
                return Ok(seen);
            }
            self.check_ends()?;
        }
    }

    /// The one message that has come since the reader had seen everything.
    fn arrived(&mut self) -> Option<FeedPage> {
        match &self.reader.since {
            FeedStart::After(seen) if self.has_caught_up => self.subscription.arrived(seen),
            FeedStart::Head | FeedStart::Beginning | FeedStart::After(_) => None,
        }
    }

    /// The next part of the feed. A store that is away is asked again for a while.
    async fn read(&self, part: FeedLimits) -> Result<FeedPage, End> {
        let user = &self.reader.user;
        let mut retries = 0;
        loop {
            let read = self
                .store
                .changes(user.app(), user.profile(), self.reader.since, part);
            let read = timeout(READ_MAX, read).await;
            match read.unwrap_or(Err(storage::Error::Deadline)) {
                Ok(mut read) => {
                    feed::fit(&mut read, part.bytes_max, feed::held_bytes);
                    return Ok(read);
                }
                Err(error) if retries >= RETRIES_MAX || !may_pass(&error) => {
                    return Err(error.into());
                }
                Err(error) => tracing::debug!(error.source = %error, "feed.read_failed"),
            }
            retries += 1;
            tokio::time::sleep(self.streams.pace.retry_after()).await;
            self.check_ends()?;
        }
    }

    async fn send(&mut self, read: FeedPage) -> Result<(), End> {
        let at_head = !read.more;
        if let Some(broken) = read.resync {
            self.counted = Some(read.counts);
            self.put_frame(feed::resync(broken, &read.counts), read.reached)
                .await?;
        }
        for (seen, change) in read.changes {
            if self.reader.lens.shows(&change) {
                self.counted = None;
                let delivers = undelivered(&change);
                self.put(Told::Change(change), seen, delivers).await?;
            }
        }
        if at_head && self.counted != Some(read.counts) {
            self.counted = Some(read.counts);
            self.put_frame(feed::counted(&read.counts), read.reached)
                .await?;
        }
        if at_head && !mem::replace(&mut self.has_caught_up, true) {
            let frame = Frame::CaughtUp(v1::CaughtUp {});
            self.put_frame(frame, read.reached).await?;
        }
        Ok(())
    }

    async fn put_frame(&mut self, frame: Frame, seen: FeedPosition) -> Result<(), End> {
        self.put(Told::Frame(Box::new(frame)), seen, None).await
    }

    async fn put(
        &mut self,
        told: Told,
        seen: FeedPosition,
        delivers: Option<MessageId>,
    ) -> Result<(), End> {
        let put = self.outlet.put(told, seen, delivers);
        self.unless_it_ends(put).await?;
        self.reader.since = FeedStart::After(seen);
        self.silent_since = Instant::now();
        if delivers.is_some() {
            self.unnoted += 1;
            self.note_at
                .get_or_insert_with(|| self.streams.pace.next_round());
        }
        Ok(())
    }

    /// Waits for whatever comes first.
    async fn next(&mut self, seen: FeedPosition) -> Event {
        let heartbeat = self.silent_since + self.streams.pace.heartbeat;
        let first = heartbeat.min(self.ends.first());
        let first = self.note_at.map_or(first, |note_at| note_at.min(first));
        tokio::select! {
            () = self.outlet.gone() => Event::End(End::Gone),
            () = sleep_until(first.into()) => Event::Time,
            news = self.subscription.news(seen.offset.seq) => match news {
                News::Changed => Event::Changed,
                News::Draining => Event::End(End::Reconnect),
            },
        }
    }

    /// Does what it is time for.
    async fn keep_time(&mut self, seen: FeedPosition) -> Result<(), End> {
        self.check_ends()?;
        let now = Instant::now();
        if self.note_at.is_some_and(|at| at <= now) {
            self.note_deliveries().await;
        }
        if self.silent_since + self.streams.pace.heartbeat <= now {
            let frame = Frame::Heartbeat(v1::Heartbeat {});
            self.put_frame(frame, seen).await?;
        }
        Ok(())
    }
}

/// Whether the store may answer when it is asked again.
const fn may_pass(error: &storage::Error) -> bool {
    use storage::Error as E;
    match error {
        E::Overloaded | E::Busy(_) | E::Deadline | E::Unavailable(_) | E::Unknown(_) => true,
        E::Refused(_) | E::Corrupt { .. } | E::Internal(_) => false,
    }
}
