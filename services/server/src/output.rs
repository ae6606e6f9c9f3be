//! Standard output and standard error of commands, either of which may be closed by its reader.

use std::fmt::Display;
use std::io::{Write as _, stderr, stdout};

use crate::failure::Failure;

/// Prints a line to standard output.
///
/// # Errors
/// If it cannot be written, as after its reader has ended.
pub fn print_line(line: impl Display) -> Result<(), Failure> {
    writeln!(stdout(), "{line}").map_err(Failure::Output)
}

/// Prints a text to standard error, if that is still read.
pub fn print_note(text: impl Display) {
    let _ = write!(stderr(), "{text}");
}
