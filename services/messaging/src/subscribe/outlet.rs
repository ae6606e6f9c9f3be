//! What waits for the reader of a stream: a bounded number of frames and bytes.
//!
//! A change waits as the store has it, and becomes a frame when its turn comes: decoded, a
//! content can be fifty times as large.

use std::mem::{size_of, take};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use domain::MessageId;
use domain::limits::{STREAM_BYTES_MAX, STREAM_CHANGES_MAX};
use futures::Stream;
use proto::v1::event::Frame;
use proto::v1::{Event, SubscribeResponse};
use realtime::Place;
use rpc::convert::feed::{self, Lens};
use rpc::{RpcError, User};
use storage::{FeedChange, FeedLimits, FeedPosition};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tonic::Status;

/// The way to the reader.
pub struct Outlet {
    frames: mpsc::UnboundedSender<Box<Waiting>>,
    shared: Arc<Shared>,
    patience: Duration,
}

/// What a reader is told.
pub enum Told {
    /// That an entry is not as it was.
    Change(FeedChange),
    /// Anything else.
    Frame(Box<Frame>),
}

/// Something that waits.
struct Waiting {
    told: Told,
    /// What the reader has seen with it.
    seen: FeedPosition,
    /// The entry of the inbox that is delivered with it.
    delivers: Option<MessageId>,
}

struct Shared {
    waiting: Mutex<mpsc::UnboundedReceiver<Box<Waiting>>>,
    load: Mutex<Load>,
    /// Whenever the reader has taken something.
    taken: Notify,
    end: OnceLock<RpcError>,
}

/// What waits, and what does not any more.
#[derive(Default)]
struct Load {
    frames: u32,
    bytes: usize,
    /// What the reader has taken since it was last asked for.
    delivered: Vec<MessageId>,
}

/// Why nothing more can be put into an outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// The reader has gone.
    Gone,
    /// The reader takes nothing.
    Slow,
}

/// The reader's side: the frames, and how the stream ended.
pub struct Frames {
    shared: Arc<Shared>,
    user: User,
    lens: Lens,
    /// One that has ended takes as much memory until its reader lets go of it.
    _place: Arc<Place>,
    has_ended: bool,
}

impl Outlet {
    /// An outlet to a user who sees the feed through a lens, and may take nothing for so
    /// long.
    pub fn new(user: User, lens: Lens, place: Arc<Place>, patience: Duration) -> (Self, Frames) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            waiting: Mutex::new(receiver),
            load: Mutex::default(),
            taken: Notify::new(),
            end: OnceLock::new(),
        });
        let outlet = Self {
            frames: sender,
            shared: Arc::clone(&shared),
            patience,
        };
        let frames = Frames {
            shared,
            user,
            lens,
            _place: place,
            has_ended: false,
        };
        (outlet, frames)
    }

    /// How much to read for the reader, when that is half of what may wait at least: what is
    /// read and has no room here would wait elsewhere.
    pub async fn room(&self) -> Result<FeedLimits, Blocked> {
        let half = |load: &Load| {
            load.frames <= STREAM_CHANGES_MAX / 2 && load.bytes <= STREAM_BYTES_MAX / 2
        };
        self.until(half).await?;
        let load = self.shared.load();
        Ok(FeedLimits {
            changes_max: STREAM_CHANGES_MAX.saturating_sub(load.frames),
            bytes_max: STREAM_BYTES_MAX.saturating_sub(load.bytes),
        })
    }

    /// Puts something in, when there is room for it.
    pub async fn put(
        &self,
        told: Told,
        seen: FeedPosition,
        delivers: Option<MessageId>,
    ) -> Result<(), Blocked> {
        let waiting = Waiting {
            told,
            seen,
            delivers,
        };
        let bytes = waiting.bytes();
        self.until(|load| load.has_room_for(bytes)).await?;
        self.push(waiting)
    }

    /// Puts the last frame in, which is small, whether or not there is room for it.
    pub fn put_last(&self, told: Told, seen: FeedPosition) {
        // Whoever has gone need not be told.
        let _ = self.push(Waiting {
            told,
            seen,
            delivers: None,
        });
    }

    fn push(&self, waiting: Waiting) -> Result<(), Blocked> {
        self.shared.load().add(waiting.bytes());
        let sent = self.frames.send(Box::new(waiting));
        sent.map_err(|_| Blocked::Gone)
    }

    /// Until it is so with what waits, as long as the reader goes on taking. One that takes
    /// nothing loses what waits: its connection may stay open, and would hold that for as long;
    /// it comes again with the cursor of what it took.
    async fn until(&self, is_so: impl Fn(&Load) -> bool) -> Result<(), Blocked> {
        while !is_so(&self.shared.load()) {
            tokio::select! {
                taken = timeout(self.patience, self.shared.taken.notified()) => {
                    if taken.is_err() {
                        self.shared.forget();
                        return Err(Blocked::Slow);
                    }
                }
                () = self.frames.closed() => return Err(Blocked::Gone),
            }
        }
        Ok(())
    }

    /// Until the reader has taken everything, or has gone; no longer than it may take nothing.
    pub async fn emptied(&self) {
        let is_empty = |load: &Load| load.frames == 0;
        let _ = timeout(self.patience, self.until(is_empty)).await;
    }

    /// Until the reader has gone.
    pub async fn gone(&self) {
        self.frames.closed().await;
    }

    /// Which entries the reader has taken since this was last asked.
    pub fn delivered(&self) -> Vec<MessageId> {
        take(&mut self.shared.load().delivered)
    }

    /// Takes back what could not be noted, for the next time.
    pub fn still_delivered(&self, message_ids: Vec<MessageId>) {
        self.shared.load().delivered.extend(message_ids);
    }

    /// Ends the stream after what waits, with an error if there is one.
    pub fn end(self, error: Option<RpcError>) {
        if let Some(error) = error {
            // Set once: the outlet is gone after this.
            let _ = self.shared.end.set(error);
        }
    }
}

impl Shared {
    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, mpsc::UnboundedReceiver<Box<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what waits.
    fn forget(&self) {
        let mut waiting = self.waiting();
        while let Ok(waiting) = waiting.try_recv() {
            self.load().remove(waiting.bytes());
        }
    }

    fn take(&self, waiting: &Waiting) {
        let mut load = self.load();
        load.remove(waiting.bytes());
        load.delivered.extend(waiting.delivers);
        drop(load);
        self.taken.notify_one();
    }
}

impl Load {
    /// One that is too large for any room has it when nothing else waits.
    const fn has_room_for(&self, bytes: usize) -> bool {
        let fits = self.frames < STREAM_CHANGES_MAX && self.bytes + bytes <= STREAM_BYTES_MAX;
        self.frames == 0 || fits
    }

    const fn add(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes;
    }

    const fn remove(&mut self, bytes: usize) {
        self.frames = self.frames.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Waiting {
    /// Bytes that it holds while it waits.
    fn bytes(&self) -> usize {
        let told = match &self.told {
            Told::Change(change) => feed::held_bytes(change),
            Told::Frame(_) => size_of::<Frame>(),
        };
        size_of::<Self>() + told
    }
}

impl Frames {
    fn event(&self, waiting: Waiting) -> Result<Option<Event>, storage::Error> {
        let frame = match waiting.told {
            Told::Change(change) => self.lens.frame(change)?,
            Told::Frame(frame) => Some(*frame),
        };
        let (app, owner) = (self.user.app(), self.user.profile());
        Ok(frame.map(|frame| feed::event(frame, waiting.seen, app, owner)))
    }

    fn end(&mut self, error: Option<RpcError>) -> Option<Result<SubscribeResponse, Status>> {
        self.has_ended = true;
        self.shared.waiting().close();
        error.map(|error| Err(error.into()))
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.shared.waiting().close();
        self.shared.forget();
    }
}

impl Stream for Frames {
    type Item = Result<SubscribeResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.has_ended {
            let next = self.shared.waiting().poll_recv(cx);
            let Some(waiting) = ready!(next) else {
                let error = self.shared.end.get().cloned();
                return Poll::Ready(self.end(error));
            };
            self.shared.take(&waiting);
            match self.event(*waiting) {
                Ok(Some(event)) => {
                    let event = Some(event);
                    return Poll::Ready(Some(Ok(SubscribeResponse { event })));
                }
                Ok(None) => {}
                Err(error) => return Poll::Ready(self.end(Some(error.into()))),
            }
        }
        Poll::Ready(None)
    }
}
