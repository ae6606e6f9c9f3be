//! Lines that a running program prints.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Longest wait for a line. Only a program that hangs reaches it.
const PATIENCE: Duration = Duration::from_mins(10);

/// The lines that were printed so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct OutputLines(Arc<(Mutex<PrintedLines>, Condvar)>);

#[derive(Debug, Default)]
struct PrintedLines {
    lines: Vec<String>,
    has_ended: bool,
    is_stopped: bool,
}

impl OutputLines {
    /// Reads a stream to its end, in a thread.
    #[must_use]
    pub fn of(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let reader = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                reader.change(|printed| printed.lines.push(line));
                reader.wait_while_stopped();
            }
            reader.change(|printed| printed.has_ended = true);
        });
        lines
    }

    /// Waits for a line, and answers what was found in it; none if the stream ended first.
    ///
    /// # Panics
    /// If neither comes in ten minutes.
    pub fn wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (printed, changed) = &*self.0;
        let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |printed: &mut PrintedLines| {
            !printed.has_ended && !printed.lines.iter().any(|line| find(line).is_some())
        };
        let waited = changed.wait_timeout_while(printed, PATIENCE, missing);
        let (printed, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            !waited.timed_out(),
            "not printed in time; only {:#?}",
            printed.lines
        );
        printed.lines.iter().find_map(|line| find(line))
    }

    /// Stops reading the stream, for good.
    pub fn stop(&self) {
        self.change(|printed| printed.is_stopped = true);
    }

    fn wait_while_stopped(&self) {
        let (printed, changed) = &*self.0;
        let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = changed.wait_while(printed, |printed| printed.is_stopped);
        drop(stopped.unwrap_or_else(PoisonError::into_inner));
    }

    /// All lines so far.
    #[must_use]
    pub fn text(&self) -> String {
        let printed = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        printed.lines.join("\n")
    }

    fn change(&self, change: impl FnOnce(&mut PrintedLines)) {
        let (printed, changed) = &*self.0;
        change(&mut printed.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }
}
