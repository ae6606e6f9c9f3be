//! The signals that end the service.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code of a process that a second signal ended without a drain: 128 + SIGINT.
const EXIT_UNDRAINED: i32 = 130;

/// Handlers of SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    /// If the system refuses them.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal and returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Makes the next signal exit the process immediately.
    pub fn exit_on_next(mut self) {
        tokio::spawn(async move {
            let name = self.next().await;
            tracing::warn!(signal.name = name, "drain.aborted");
            process::exit(EXIT_UNDRAINED);
        });
    }
}
