//! The numbers in the comments of the contract, against the constants that the code obeys.

mod phrases;
mod units;

use super::comments::{self, Comment};
use super::files;

/// A phrase that states a limit in the comments of some elements.
struct StatedLimit {
    /// The last parts of the elements' full names.
    at: &'static str,
    phrase: String,
}

/// Numbers that are no limits: formats, specifications, and the widths of lengths in a digest.
const EXPLAINED: [&str; 4] = [
    "UTF-8",
    "RFC 8785",
    "(4 bytes, big endian)",
    "(8 bytes, big endian)",
];

/// Numbers that need no constant.
const PLAIN: [&str; 2] = ["0", "1"];

#[test]
fn every_limit_of_the_code_is_stated_where_it_applies() {
    let comments = all_comments();
    for limit in stated_limits() {
        let mut applied = comments.iter().filter(|it| limit.applies_to(it)).peekable();
        assert!(applied.peek().is_some(), "no element {}", limit.at);
        for comment in applied {
            assert!(
                comment.text.contains(&limit.phrase),
                "{:?} is not in {comment:#?}",
                limit.phrase
            );
        }
    }
}

#[test]
fn every_number_in_a_comment_is_a_limit_of_the_code() {
    let limits = stated_limits();
    let mut unknown = Vec::new();
    for comment in all_comments() {
        let mut rest = comment.text.clone();
        let of_element = limits.iter().filter(|limit| limit.applies_to(&comment));
        let phrases = of_element.map(|limit| limit.phrase.as_str());
        for phrase in phrases.chain(EXPLAINED) {
            rest = rest.replace(phrase, "…");
        }
        let numbers = numbers(&rest);
        if !numbers.is_empty() {
            unknown.push((comment.element, numbers));
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn numbers_are_found_outside_names() {
    assert_eq!(
        numbers("1 to 16, at most 10,000; v1, UUIDv7, -1 or 0"),
        ["16", "10,000"]
    );
}

fn all_comments() -> Vec<Comment> {
    let files = files();
    let comments: Vec<_> = files.iter().flat_map(comments::of).collect();
    assert!(comments.len() > 300, "{}", comments.len());
    comments
}

/// Returns the numbers of a text that are no part of a name, and not plain.
fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != ',');
    let words = words.map(|word| word.trim_matches(','));
    let numbers = words.filter(|word| word.starts_with(|it: char| it.is_ascii_digit()));
    numbers
        .filter(|number| !PLAIN.contains(number))
        .map(str::to_owned)
        .collect()
}

impl StatedLimit {
    fn applies_to(&self, comment: &Comment) -> bool {
        let scope = comment.element.strip_suffix(self.at);
        scope.is_some_and(|scope| scope.is_empty() || scope.ends_with('.'))
    }
}

/// Returns all limits, each with its phrase.
fn stated_limits() -> Vec<StatedLimit> {
    let phrases = phrases::all().into_iter();
    phrases
        .map(|(at, phrase)| StatedLimit { at, phrase })
        .collect()
}
