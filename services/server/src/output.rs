//! Standard output and standard error of commands, either of which may be closed by its reader.

use std::fmt::{Display, Write as _};
use std::io::{Write as _, stderr, stdout};

use domain::text::is_unseen;
use serde::Serialize;

use crate::failure::Failure;

/// Prints a line to standard output.
///
/// # Errors
/// If it cannot be written, as after its reader has ended.
pub fn print_line(line: impl Display) -> Result<(), Failure> {
    writeln!(stdout(), "{line}").map_err(Failure::Output)
}

/// Prints a value to standard output as a line of JSON.
///
/// # Errors
/// As [`print_line`].
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(value).map_err(anyhow::Error::from)?;
    print_line(escaped(&json))
}

/// Escapes characters of JSON that a terminal obeys or does not show. It is the same JSON.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if !is_unseen(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Nothing fails to be written to a string.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

/// Prints a text to standard error, if that is still read.
pub fn print_note(text: impl Display) {
    let _ = write!(stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_json_is_the_same_and_shows_all_of_it() {
        let texts = ["a\u{202e}b\u{200b}\u{9b}2J\u{e0041}\u{7f}\n", "Ann 👩 می"];
        let json = serde_json::to_string(&texts).expect("JSON");
        let line = escaped(&json);
        assert!(!line.chars().any(is_unseen), "{line:?}");
        assert!(
            line.contains("\\u202e") && line.contains("Ann 👩 می"),
            "{line}"
        );
        let same: Vec<String> = serde_json::from_str(&line).expect("JSON");
        assert_eq!(same, texts);
    }
}
