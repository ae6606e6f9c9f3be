//! The signals that end the service.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a process that ended without draining.
const ENDED_AT_ONCE: i32 = 130;

/// SIGTERM and SIGINT, from now on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches the signals.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The name of the next one.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// From now on, the next one ends the process at once.
    pub fn arm(mut self) {
        tokio::spawn(async move {
            let name = self.next().await;
            tracing::warn!(signal.name = name, "ended at once, by a second signal");
            process::exit(ENDED_AT_ONCE);
        });
    }
}
