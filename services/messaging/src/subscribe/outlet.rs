//! What waits for the reader of a stream: a bounded number of frames and bytes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use domain::MessageId;
use domain::limits::{STREAM_BYTES_MAX, STREAM_CHANGES_MAX};
use futures::Stream;
use prost::Message;
use proto::v1::{Event, SubscribeResponse};
use rpc::RpcError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tonic::Status;

/// The way to the reader.
pub struct Outlet {
    frames: mpsc::Sender<Box<Waiting>>,
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
    patience: Duration,
}

/// A frame that waits.
struct Waiting {
    event: Event,
    /// The entry of the inbox that is delivered with it.
    delivers: Option<MessageId>,
    _room: OwnedSemaphorePermit,
}

struct Shared {
    waiting: Mutex<mpsc::Receiver<Box<Waiting>>>,
    /// What the reader has taken since it was last asked for.
    delivered: Mutex<Vec<MessageId>>,
    end: OnceLock<RpcError>,
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
    has_ended: bool,
}

impl Outlet {
    /// An outlet whose reader may take nothing for so long.
    pub fn new(patience: Duration) -> (Self, Frames) {
        let (sender, receiver) = mpsc::channel(STREAM_CHANGES_MAX as usize);
        let shared = Arc::new(Shared {
            waiting: Mutex::new(receiver),
            delivered: Mutex::default(),
            end: OnceLock::new(),
        });
        let outlet = Self {
            frames: sender,
            room: Arc::new(Semaphore::new(STREAM_BYTES_MAX)),
            shared: Arc::clone(&shared),
            patience,
        };
        let frames = Frames {
            shared,
            has_ended: false,
        };
        (outlet, frames)
    }

    /// Puts a frame in, when there is room for it. A reader that takes nothing loses what waits:
    /// its connection may stay open, and would hold that for as long; it comes again with the
    /// cursor of what it took.
    pub async fn put(&self, event: Event, delivers: Option<MessageId>) -> Result<(), Blocked> {
        let bytes = event.encoded_len().min(STREAM_BYTES_MAX);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let put = async {
            let room = Arc::clone(&self.room).acquire_many_owned(bytes).await;
            let waiting = Waiting {
                event,
                delivers,
                _room: room.map_err(|_| Blocked::Gone)?,
            };
            let sent = self.frames.send(Box::new(waiting)).await;
            sent.map_err(|_| Blocked::Gone)
        };
        tokio::select! {
            put = timeout(self.patience, put) => put.unwrap_or_else(|_| {
                self.shared.forget();
                Err(Blocked::Slow)
            }),
            () = self.frames.closed() => Err(Blocked::Gone),
        }
    }

    /// Until the reader has gone.
    pub async fn gone(&self) {
        self.frames.closed().await;
    }

    /// Which entries the reader has taken since this was last asked.
    pub fn delivered(&self) -> Vec<MessageId> {
        std::mem::take(&mut *self.shared.delivered())
    }

    /// Takes back what could not be noted, for the next time.
    pub fn still_delivered(&self, message_ids: Vec<MessageId>) {
        self.shared.delivered().extend(message_ids);
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
    fn delivered(&self) -> MutexGuard<'_, Vec<MessageId>> {
        self.delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, mpsc::Receiver<Box<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what waits.
    fn forget(&self) {
        let mut waiting = self.waiting();
        while waiting.try_recv().is_ok() {}
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
        if self.has_ended {
            return Poll::Ready(None);
        }
        let next = self.shared.waiting().poll_recv(cx);
        match next {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(waiting)) => {
                self.shared.delivered().extend(waiting.delivers);
                let event = Some(waiting.event);
                Poll::Ready(Some(Ok(SubscribeResponse { event })))
            }
            Poll::Ready(None) => {
                self.has_ended = true;
                let error = self.shared.end.get().cloned();
                Poll::Ready(error.map(|error| Err(error.into())))
            }
        }
    }
}
