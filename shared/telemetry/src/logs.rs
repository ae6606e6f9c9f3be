//! Log lines on stderr; stdout is for the output of commands.
//!
//! A thread of its own writes the lines. A reader that stalls, such as a full disk or a pipe that
//! is not read, costs lines and nothing else: no call ever waits for the log.

use std::io::{IsTerminal, Write, stderr};
use std::panic;

use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::options::Format;

/// Lines that wait to be written, about 10 MiB. Later ones are dropped.
const LINES_MAX: usize = 32 * 1024;

/// The writer of the process' log. Dropping it writes the lines that wait, for at most a second.
#[derive(Debug)]
pub(crate) struct LogWriter {
    lines: NonBlocking,
    _thread: WorkerGuard,
}

impl LogWriter {
    pub(crate) fn start() -> Self {
        Self::to(stderr(), LINES_MAX)
    }

    fn to(output: impl Write + Send + 'static, lines_max: usize) -> Self {
        let (lines, thread) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(lines_max)
            .thread_name("log")
            .finish(output);
        Self {
            lines,
            _thread: thread,
        }
    }

    /// Number of lines that were dropped.
    pub(crate) fn dropped(&self) -> ErrorCounter {
        self.lines.error_counter()
    }

    pub(crate) fn layer<S>(&self, format: Format) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let lines = tracing_subscriber::fmt::layer().with_writer(self.lines.clone());
        match format {
            Format::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
            Format::Json => lines.json().flatten_event(true).boxed(),
        }
    }
}

/// Logs panics as events. The default hook writes to stderr itself, and waits for its reader.
pub(crate) fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        let location = panic.location().map(ToString::to_string);
        tracing::error!(panic.message = message, panic.location = location, "panic");
    }));
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, channel};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::testing;

    const LINES: usize = 100;
    const WAITING_MAX: usize = 10;

    /// An output that takes nothing until its channel is closed.
    struct Stalled(Receiver<()>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_beyond_the_limit_are_dropped_and_counted() {
        let (open, stalled) = channel();
        let log = LogWriter::to(Stalled(stalled), WAITING_MAX);
        let subscriber = tracing_subscriber::registry().with(log.layer(Format::Json));
        testing::under(subscriber, || {
            for _ in 0..LINES {
                tracing::info!("line");
            }
        });
        let dropped = log.dropped().dropped_lines();
        // One more is with the output.
        let taken = WAITING_MAX + 1;
        assert!((LINES - taken..LINES).contains(&dropped), "{dropped}");
        drop(open);
    }
}
