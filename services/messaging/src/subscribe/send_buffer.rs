//! Send buffer of a stream: a bounded number of frames and bytes.
//!
//! A change is buffered as it is stored, and becomes a frame when the subscriber takes it:
//! decoded, a content can be fifty times as large.

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
use realtime::StreamSlot;
use rpc::convert::feed::{self, FeedFilter};
use rpc::{RpcError, User};
use storage::{FeedChange, FeedLimits, FeedPosition};
use telemetry::{FrameKind, StreamMetrics};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tonic::Status;

/// Sending half of a stream's buffer.
pub struct SendBuffer {
    frames: mpsc::UnboundedSender<Box<BufferedFrame>>,
    state: Arc<BufferState>,
    slow_reader_timeout: Duration,
}

/// Item to be sent to a subscriber.
pub enum Outgoing {
    /// Change of an entry.
    Change(FeedChange),
    /// Any other frame, of a kind.
    Frame(FrameKind, Box<Frame>),
}

/// Item in the buffer.
struct BufferedFrame {
    outgoing: Outgoing,
    /// Position of the subscriber after this item.
    position: FeedPosition,
    /// Entry of the inbox that this item delivers.
    delivers: Option<MessageId>,
}

struct BufferState {
    queue: Mutex<mpsc::UnboundedReceiver<Box<BufferedFrame>>>,
    load: Mutex<BufferLoad>,
    /// Notified when the subscriber takes an item.
    taken: Notify,
    error: OnceLock<RpcError>,
}

/// Size of the buffer's contents, and the deliveries of taken items.
#[derive(Default)]
struct BufferLoad {
    frames: u32,
    bytes: usize,
    /// Entries delivered since the last [`SendBuffer::take_delivered`].
    delivered: Vec<MessageId>,
}

/// Failure to write to the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// The subscriber has disconnected.
    Disconnected,
    /// The subscriber has taken nothing from a full buffer for the slow-reader timeout.
    SlowReader,
}

/// Receiving half of a stream's buffer: the frames, and the error that ends the stream.
pub struct FrameStream {
    state: Arc<BufferState>,
    user: User,
    filter: FeedFilter,
    /// Held until the subscriber drops the stream, which occupies memory until then.
    _slot: Arc<StreamSlot>,
    has_ended: bool,
    metrics: StreamMetrics,
}

impl SendBuffer {
    /// Creates the buffer of a user's stream.
    pub fn new(
        user: User,
        filter: FeedFilter,
        slot: Arc<StreamSlot>,
        slow_reader_timeout: Duration,
        metrics: StreamMetrics,
    ) -> (Self, FrameStream) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let state = Arc::new(BufferState {
            queue: Mutex::new(receiver),
            load: Mutex::default(),
            taken: Notify::new(),
            error: OnceLock::new(),
        });
        let buffer = Self {
            frames: sender,
            state: Arc::clone(&state),
            slow_reader_timeout,
        };
        let frames = FrameStream {
            state,
            user,
            filter,
            _slot: slot,
            has_ended: false,
            metrics,
        };
        (buffer, frames)
    }

    /// Waits until at least half of the buffer is free, and returns the free size. More than
    /// that should not be read: it would have to be held elsewhere.
    pub async fn free_space(&self) -> Result<FeedLimits, SendError> {
        let is_half_free = |load: &BufferLoad| {
            load.frames <= STREAM_CHANGES_MAX / 2 && load.bytes <= STREAM_BYTES_MAX / 2
        };
        self.wait_until(is_half_free).await?;
        let load = self.state.load();
        Ok(FeedLimits {
            only: None,
            changes_max: STREAM_CHANGES_MAX.saturating_sub(load.frames),
            bytes_max: STREAM_BYTES_MAX.saturating_sub(load.bytes),
        })
    }

    /// Appends an item when there is room for it.
    pub async fn send(
        &self,
        outgoing: Outgoing,
        position: FeedPosition,
        delivers: Option<MessageId>,
    ) -> Result<(), SendError> {
        let frame = BufferedFrame {
            outgoing,
            position,
            delivers,
        };
        let bytes = frame.bytes();
        self.wait_until(|load| load.has_room_for(bytes)).await?;
        self.push(frame)
    }

    /// Appends the last frame, which is small, without waiting for room.
    pub fn send_last(&self, outgoing: Outgoing, position: FeedPosition) {
        // A disconnected subscriber needs no last frame.
        let _ = self.push(BufferedFrame {
            outgoing,
            position,
            delivers: None,
        });
    }

    fn push(&self, frame: BufferedFrame) -> Result<(), SendError> {
        self.state.load().add(frame.bytes());
        let sent = self.frames.send(Box::new(frame));
        sent.map_err(|_| SendError::Disconnected)
    }

    /// Waits for a condition while the subscriber takes items. A slow reader loses the contents of
    /// the buffer, which its open connection would hold in memory; it resumes from the cursor of
    /// the last item that it took.
    async fn wait_until(&self, is_met: impl Fn(&BufferLoad) -> bool) -> Result<(), SendError> {
        while !is_met(&self.state.load()) {
            tokio::select! {
                taken = timeout(self.slow_reader_timeout, self.state.taken.notified()) => {
                    if taken.is_err() {
                        self.state.clear();
                        return Err(SendError::SlowReader);
                    }
                }
                () = self.frames.closed() => return Err(SendError::Disconnected),
            }
        }
        Ok(())
    }

    /// Waits until the buffer is empty or the subscriber has disconnected, at most for the
    /// slow-reader timeout.
    pub async fn flushed(&self) {
        let is_empty = |load: &BufferLoad| load.frames == 0;
        let _ = timeout(self.slow_reader_timeout, self.wait_until(is_empty)).await;
    }

    /// Waits until the subscriber has disconnected.
    pub async fn disconnected(&self) {
        self.frames.closed().await;
    }

    /// Takes the list of entries that were delivered since the last call.
    pub fn take_delivered(&self) -> Vec<MessageId> {
        take(&mut self.state.load().delivered)
    }

    /// Returns deliveries that could not be marked to the list.
    pub fn restore_delivered(&self, message_ids: Vec<MessageId>) {
        self.state.load().delivered.extend(message_ids);
    }

    /// Ends the stream after the buffered items, with an error if there is one.
    pub fn end(self, error: Option<RpcError>) {
        if let Some(error) = error {
            // Set once: this consumes the buffer.
            let _ = self.state.error.set(error);
        }
    }
}

impl BufferState {
    fn load(&self) -> MutexGuard<'_, BufferLoad> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, mpsc::UnboundedReceiver<Box<BufferedFrame>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops all buffered items.
    fn clear(&self) {
        let mut queue = self.queue();
        while let Ok(frame) = queue.try_recv() {
            self.load().remove(frame.bytes());
        }
    }

    /// Accounts for an item that the subscriber takes.
    fn take(&self, frame: &BufferedFrame) {
        let mut load = self.load();
        load.remove(frame.bytes());
        load.delivered.extend(frame.delivers);
        drop(load);
        self.taken.notify_one();
    }
}

impl BufferLoad {
    /// Returns true if an item fits. An item larger than the buffer fits if it is empty.
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

impl BufferedFrame {
    /// Size in memory while buffered, in bytes.
    fn bytes(&self) -> usize {
        let outgoing = match &self.outgoing {
            Outgoing::Change(change) => feed::held_bytes(change),
            Outgoing::Frame(..) => size_of::<Frame>(),
        };
        size_of::<Self>() + outgoing
    }
}

impl FrameStream {
    /// Returns the event of an item, which counts as written; none if the filter excludes it.
    fn event(&self, buffered: BufferedFrame) -> Result<Option<Event>, storage::Error> {
        let (kind, frame) = match buffered.outgoing {
            Outgoing::Change(change) => (FrameKind::Change, self.filter.frame(change)?),
            Outgoing::Frame(kind, frame) => (kind, Some(*frame)),
        };
        let (app, owner) = (self.user.app(), self.user.profile());
        Ok(frame.map(|frame| {
            self.metrics.frame(kind);
            feed::event(frame, buffered.position, app, owner)
        }))
    }

    fn end(&mut self, error: Option<RpcError>) -> Option<Result<SubscribeResponse, Status>> {
        self.has_ended = true;
        self.state.queue().close();
        error.map(|error| Err(error.into()))
    }
}

impl Drop for FrameStream {
    fn drop(&mut self) {
        self.state.queue().close();
        self.state.clear();
    }
}

impl Stream for FrameStream {
    type Item = Result<SubscribeResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.has_ended {
            let next = self.state.queue().poll_recv(cx);
            let Some(buffered) = ready!(next) else {
                let error = self.state.error.get().cloned();
                return Poll::Ready(self.end(error));
            };
            self.state.take(&buffered);
            match self.event(*buffered) {
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
