//! What this run has tested, said where libtest does not hide it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Says a line, once.
pub fn say(line: &str) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(line.to_owned()) {
        print(line);
    }
}

/// Says a line.
pub fn print(line: &str) {
    // Not eprintln!, which libtest captures. Nobody to read it is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
