//! Collection of a test's log lines.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};

use serde_json::Value;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Collector of log lines.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    /// Collector and minimum level of this thread's lines.
    static COLLECTING: RefCell<Option<(Level, Lines)>> = const { RefCell::new(None) };
}

/// Guard that ends the collection.
pub struct Collecting;

impl Drop for Collecting {
    fn drop(&mut self) {
        COLLECTING.set(None);
    }
}

/// Writer that passes each line to the test of its thread.
struct ToThisThread;

impl<'a> MakeWriter<'a> for ToThisThread {
    type Writer = Box<dyn Write>;

    fn make_writer(&'a self) -> Self::Writer {
        Box::new(io::sink())
    }

    fn make_writer_for(&'a self, line: &Metadata<'_>) -> Self::Writer {
        COLLECTING.with_borrow(|collecting| match collecting {
            Some((level, lines)) if line.level() <= level => Box::new(lines.clone()),
            _ => self.make_writer(),
        })
    }
}

impl Lines {
    /// Collects lines until the guard is dropped. All tests share one subscriber: with one for
    /// each, an event that one test disables may stay disabled in another.
    pub fn collect(&self, level: Level) -> Collecting {
        static SUBSCRIBED: Once = Once::new();
        SUBSCRIBED.call_once(|| {
            tracing_subscriber::fmt()
                .json()
                .with_max_level(Level::TRACE)
                .with_writer(ToThisThread)
                .init();
        });
        COLLECTING.set(Some((level, self.clone())));
        Collecting
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a lock").clone()).expect("text")
    }

    /// Returns the levels and fields of the lines about calls.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.events("call.ended")
    }

    /// Returns the levels and fields of the lines about an event.
    pub fn events(&self, name: &str) -> Vec<(String, Value)> {
        let lines = self.text();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines
            .filter(|line| line["fields"]["message"] == name)
            .map(|line| {
                let level = line["level"].as_str().expect("a level").to_owned();
                (level, line["fields"].clone())
            })
            .collect()
    }
}
