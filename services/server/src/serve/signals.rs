//! Handlers of the signals that would end the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGXFSZ of Linux. Once it is handled, a write beyond the limit of file sizes fails, as one on a
/// full disk does.
const SIGXFSZ: i32 = 25;

/// Signals that do nothing here and would end the process if they were not handled.
const IGNORED: [(&str, SignalKind); 4] = [
    ("SIGUSR1", SignalKind::user_defined1()),
    ("SIGUSR2", SignalKind::user_defined2()),
    ("SIGALRM", SignalKind::alarm()),
    ("SIGXFSZ", SignalKind::from_raw(SIGXFSZ)),
];

/// Handlers of the signals that start a drain: SIGTERM, SIGINT and SIGQUIT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Signals {
    /// Installs these handlers, and those of all signals that are ignored.
    ///
    /// # Errors
    /// If the system refuses them.
    pub fn catch() -> io::Result<Self> {
        for (name, kind) in IGNORED {
            ignore(name, kind)?;
        }
        // Handled from here on, even if no listener has files to read again.
        drop(hangups()?);
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Waits for the next signal and returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.quit.recv() => "SIGQUIT",
        }
    }
}

/// Handler of SIGHUP, which asks for files to be read again.
///
/// # Errors
/// If the system refuses it.
pub fn hangups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

fn ignore(name: &'static str, kind: SignalKind) -> io::Result<()> {
    let mut signals = signal(kind)?;
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            tracing::info!(signal.name = name, "signal.ignored");
        }
    });
    Ok(())
}
