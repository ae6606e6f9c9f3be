//! A tap on a connection's stream, which passes what both sides send to a frame tracker, and ends
//! the stream if the peer sends too many frames.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::frame_tracker::{FrameExcess, FrameTracker};

/// Frame tracker that a tap and its connection share.
#[derive(Debug, Clone)]
pub struct SharedTracker(Arc<TrackedConnection>);

#[derive(Debug)]
struct TrackedConnection {
    tracker: Mutex<FrameTracker>,
    resets_exceeded: Notify,
    has_flood: AtomicBool,
}

impl SharedTracker {
    pub fn new() -> Self {
        Self(Arc::new(TrackedConnection {
            tracker: Mutex::new(FrameTracker::new(Instant::now())),
            resets_exceeded: Notify::new(),
            has_flood: AtomicBool::new(false),
        }))
    }

    /// Start of the frame, headers or preface that the peer has not completed; `None` if it owes
    /// nothing.
    pub fn incomplete_since(&self) -> Option<Instant> {
        self.lock().incomplete_since()
    }

    /// Begins a turn of the connection's task, in which a number of calls is read.
    pub fn begin_turn(&self) {
        self.lock().begin_turn();
    }

    /// Waits until the peer has reset too many calls.
    pub async fn resets_exceeded(&self) {
        self.0.resets_exceeded.notified().await;
    }

    /// Returns whether the stream was ended because the peer sent too many frames.
    pub fn has_flood(&self) -> bool {
        self.0.has_flood.load(Ordering::Relaxed)
    }

    fn receive(&self, bytes: &[u8]) -> io::Result<()> {
        let excess = self.lock().receive(bytes, Instant::now());
        match excess {
            None => Ok(()),
            Some(FrameExcess::Resets) => {
                self.0.resets_exceeded.notify_one();
                Ok(())
            }
            Some(flood) => {
                self.0.has_flood.store(true, Ordering::Relaxed);
                Err(io::Error::other(flood))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, FrameTracker> {
        self.0
            .tracker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose bytes are tracked.
pub struct Tap<S> {
    stream: S,
    tracker: SharedTracker,
}

impl<S> Tap<S> {
    pub fn new(stream: S, tracker: SharedTracker) -> Self {
        Self { stream, tracker }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.tracker.lock().has_full_turn() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        Poll::Ready(self.tracker.receive(&buffer.filled()[before..]))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.tracker.lock().send(&bytes[..sent]);
        Poll::Ready(Ok(sent))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        let mut tracker = self.tracker.lock();
        let mut left = sent;
        for slice in slices {
            let bytes = &slice[..left.min(slice.len())];
            tracker.send(bytes);
            left -= bytes.len();
        }
        drop(tracker);
        Poll::Ready(Ok(sent))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
