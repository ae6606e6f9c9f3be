//! Sender of a message, as its readers see it.

use crate::id::ProfileId;
use crate::limits::{SENDER_NAME_BYTES_MAX, SENDER_PIC_BYTES_MAX};
use crate::text::disturbs_text;

/// The sender of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sender {
    /// The sending user; none for what the app itself sends.
    pub profile_id: Option<ProfileId>,
    /// A name to show.
    pub name: String,
    /// `https` URL of a picture; empty if there is none.
    pub pic: String,
}

/// Returns true if a text is a valid sender name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= SENDER_NAME_BYTES_MAX && !text.contains(disturbs_text)
}

/// Returns true if a text is a valid sender picture.
#[must_use]
pub fn is_pic(text: &str) -> bool {
    let is_shown = |character: char| !character.is_whitespace() && !disturbs_text(character);
    let is_url = text.starts_with("https://") && text.chars().all(is_shown);
    text.is_empty() || is_url && text.len() <= SENDER_PIC_BYTES_MAX
}

/// Returns the valid name in a text that somebody else wrote: its beginning, in whole characters;
/// empty if the text contains characters that a name must not.
#[must_use]
pub fn name_in(text: &str) -> &str {
    let name = &text[..text.floor_char_boundary(SENDER_NAME_BYTES_MAX)];
    if is_name(name) { name } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_an_https_url() {
        let long = format!("https://{}", "x".repeat(SENDER_PIC_BYTES_MAX - 8));
        for text in ["", "https://pics.test/ä?size=1", &long] {
            assert!(is_pic(text), "{text:?}");
        }
        for text in [
            "a.png",
            "http://pics.test/a",
            "javascript:alert(1)",
            "data:image/png;base64,",
            "https://pics.test/a b",
            "https://pics.test/\u{202e}gnp.a",
            "https://pics.test/\n",
            &format!("{long}x"),
        ] {
            assert!(!is_pic(text), "{text:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let thai = "ก".repeat(44);
        assert_eq!(name_in(&thai), "ก".repeat(42));
        assert_eq!(name_in("Anna"), "Anna");
        for text in ["a\nb", "a\0", "\u{202e}nimda"] {
            assert_eq!(name_in(text), "", "{text:?}");
        }
    }
}
