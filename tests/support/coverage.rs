//! Lines about a test run, on standard error, where libtest does not capture them.
//!
//! [`covers`] collects the databases of the run; a small process beside this one prints them when
//! the run has ended, below libtest's own summary.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::gears;

/// Set by cargo-nextest, which runs each test in a process of its own.
const NEXTEST: &str = "NEXTEST";

/// Reads lines until the end of the tests' process, then prints each of them once.
const SUMMARY: &str = r#"
covered=$(sort -u)
printf 'databases covered:\n%s\n%s\n\n' "$covered" "$1" >&2
"#;
const INCLUDED: &str = "second gear: included";
const LEFT_OUT: &str = "second gear: left out (the tests counted as ignored); both gears run with \
                        cargo test --workspace -- --include-ignored";

static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Prints a line, once in a run.
pub fn print_once(line: &str) {
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    if printed.insert(line.to_owned()) {
        print(line);
    }
}

/// Prints a line.
pub fn print(line: &str) {
    // Not eprintln!, which libtest captures. A closed stream is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Adds a database to the summary at the end of the run.
pub fn covers(database: &str) {
    static SUMMARY: OnceLock<Option<Mutex<ChildStdin>>> = OnceLock::new();
    if std::env::var_os(NEXTEST).is_some() {
        print_once(&format!("database covered: {database}"));
        return;
    }
    if let Some(lines) = SUMMARY.get_or_init(summary) {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Without the process there is no summary, and no reason to fail.
        let _ = writeln!(lines, "  {database}");
    }
}

/// Starts the process that prints the summary. The pipe to it closes with this process.
fn summary() -> Option<Mutex<ChildStdin>> {
    let gears = if gears::second() { INCLUDED } else { LEFT_OUT };
    let process = Command::new("sh")
        .args(["-c", SUMMARY, "summary", gears])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn();
    Some(Mutex::new(process.ok()?.stdin?))
}
