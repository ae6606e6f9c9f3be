//! First words of doc comments, and names of functions.

use super::sources::{all, declaration, identifier};

/// Words that open a doc comment without naming its subject.
const OPENERS: [&str; 24] = [
    "How",
    "It",
    "Its",
    "Nobody",
    "Of",
    "One",
    "Somebody",
    "Something",
    "That",
    "These",
    "They",
    "This",
    "Those",
    "What",
    "Whatever",
    "When",
    "Where",
    "Whether",
    "Which",
    "Who",
    "Whoever",
    "Whom",
    "Whose",
    "Why",
];
/// Words in a function name in the place of a subject.
const PRONOUNS: [&str; 10] = [
    "anybody", "nobody", "others", "somebody", "what", "whatever", "who", "whoever", "whom",
    "whose",
];
/// Underscores from which on a function name is a sentence.
const SENTENCE_UNDERSCORES: usize = 3;
/// Percent of doc comments that may open so.
const OPENERS_PERCENT_MAX: usize = 5;
/// Percent of long function names that may contain a pronoun.
const PRONOUNS_PERCENT_MAX: usize = 2;

/// Counts all items, and lists the offending ones.
#[derive(Default)]
struct Offences {
    all: usize,
    offending: Vec<String>,
}

impl Offences {
    fn count(&mut self, is_offending: bool, describe: impl FnOnce() -> String) {
        self.all += 1;
        if is_offending {
            self.offending.push(describe());
        }
    }

    fn assert_at_most(&self, percent_max: usize) {
        let found = self.offending.len();
        assert!(
            100 * found <= percent_max * self.all,
            "{found} of {}, more than {percent_max} %: {:#?}",
            self.all,
            self.offending
        );
    }
}

/// The first words of a doc comment, if the line is one and the line before is not.
fn opening<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    let marker = ["///", "//!"]
        .into_iter()
        .find(|marker| line.starts_with(marker) && !before.starts_with(marker))?;
    let words = line[marker.len()..].trim();
    (!words.is_empty()).then_some(words)
}

#[test]
fn doc_comments_name_their_subject_first() {
    let mut offences = Offences::default();
    for file in all() {
        let mut before = "";
        for (index, line) in file.text.lines().map(str::trim).enumerate() {
            if let Some(words) = opening(line, before) {
                let is_offending = OPENERS.contains(&identifier(words));
                let place = || format!("{}:{}: {words}", file.path, index + 1);
                offences.count(is_offending, place);
            }
            before = line;
        }
    }
    offences.assert_at_most(OPENERS_PERCENT_MAX);
}

#[test]
fn function_names_have_nouns_for_subjects() {
    let mut offences = Offences::default();
    for file in all() {
        let lines = file.text.lines().map(|line| declaration(line.trim()));
        for name in lines.filter_map(|line| line.strip_prefix("fn ")) {
            let name = identifier(name);
            let words: Vec<&str> = name.split('_').collect();
            if words.len() > SENTENCE_UNDERSCORES {
                let is_offending = words.iter().any(|word| PRONOUNS.contains(word));
                offences.count(is_offending, || format!("{}: {name}", file.path));
            }
        }
    }
    offences.assert_at_most(PRONOUNS_PERCENT_MAX);
}
