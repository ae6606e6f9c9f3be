//! The TLS acceptor of a listener, which follows its files.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::{LoadedTls, load};
use crate::config::{Problem, TlsPaths};
use crate::limits::TLS_CHECK_INTERVAL;
use crate::serve::signals::hangups;

/// The current acceptor of a listener. Clones follow the same files.
#[derive(Clone)]
pub struct ReloadedTls(watch::Receiver<TlsAcceptor>);

impl ReloadedTls {
    /// Loads the files of a listener, and again whenever they change or on SIGHUP; `None` for
    /// plaintext. Files that are not usable then are logged, and leave the last usable ones in
    /// place.
    ///
    /// # Errors
    /// If a file cannot be read or used at first.
    pub fn start(listener: &'static str, paths: &TlsPaths) -> Result<Option<Self>, Problem> {
        let state = FileState::of(paths);
        let Some(loaded) = load(&format!("{listener}.tls"), paths)? else {
            return Ok(None);
        };
        let expires_s = Arc::new(AtomicI64::new(loaded.expires_s));
        telemetry::observe_certificate(listener, {
            let expires_s = Arc::clone(&expires_s);
            move || expires_s.load(Ordering::Relaxed)
        });
        let (sender, receiver) = watch::channel(loaded.acceptor);
        let hangups = hangups().map_err(|error| Problem::new("SIGHUP", error.to_string()))?;
        let reload = Reload {
            listener,
            paths: paths.clone(),
            state,
            expires_s,
            sender,
        };
        tokio::spawn(reload.run(hangups));
        Ok(Some(Self(receiver)))
    }

    /// The acceptor for a new connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.0.borrow().clone()
    }
}

/// Task that loads the files of a listener again.
struct Reload {
    listener: &'static str,
    paths: TlsPaths,
    /// State of the files at the last attempt.
    state: FileState,
    expires_s: Arc<AtomicI64>,
    sender: watch::Sender<TlsAcceptor>,
}

impl Reload {
    async fn run(mut self, mut hangups: Signal) {
        let mut checks = interval(TLS_CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                _ = hangups.recv() => true,
                _ = checks.tick() => false,
            };
            let state = FileState::of(&self.paths);
            if asked || state != self.state {
                self.state = state;
                self.reload();
            }
        }
    }

    fn reload(&self) {
        let listener = self.listener;
        match load(&format!("{listener}.tls"), &self.paths) {
            Ok(Some(LoadedTls {
                acceptor,
                expires_s,
            })) => {
                self.expires_s.store(expires_s, Ordering::Relaxed);
                self.sender.send_replace(acceptor);
                tracing::info!(listener.name = listener, "tls.reloaded");
            }
            Ok(None) => {}
            Err(problem) => {
                tracing::error!(listener.name = listener, error = %problem, "tls.reload_failed");
            }
        }
    }
}

/// Traits of files that a write or replacement changes: inodes, sizes and times, or their
/// absence.
#[derive(Debug, PartialEq, Eq)]
struct FileState(Vec<Option<(u64, u64, i64, i64)>>);

impl FileState {
    fn of(paths: &TlsPaths) -> Self {
        Self(paths.files().map(file_state).collect())
    }
}

fn file_state(path: &Path) -> Option<(u64, u64, i64, i64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
}
