//! A tap on a connection's stream, which passes what the peer sends to a frame tracker.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::frame_tracker::FrameTracker;

/// Frame tracker that a tap and the connection's timeout share.
#[derive(Debug, Clone)]
pub struct SharedTracker(Arc<Mutex<FrameTracker>>);

impl SharedTracker {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(FrameTracker::new(Instant::now()))))
    }

    /// Start of the frame, headers or preface that the peer has not completed; `None` if it owes
    /// nothing.
    pub fn incomplete_since(&self) -> Option<Instant> {
        self.lock().incomplete_since()
    }

    fn lock(&self) -> MutexGuard<'_, FrameTracker> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose received bytes are tracked.
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
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.tracker
            .lock()
            .receive(&buffer.filled()[before..], Instant::now());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
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
