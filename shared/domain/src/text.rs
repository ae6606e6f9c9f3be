//! Texts: characters that ids and names must not contain, because readers cannot see them or take a
//! text for another one; and bytes as text.

use std::fmt::Write as _;

/// Returns true for a character that an id must not contain: a control character, a line or
/// paragraph separator, or one of [`is_invisible`].
#[must_use]
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || is_invisible(character)
}

/// Returns true for a character that has no glyph or changes the direction of others: Unicode's
/// `Default_Ignorable_Code_Point`, which includes all bidi controls, and annotations. The ranges
/// are fixed, reserved characters included, so that no id is valid in one release only.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns true for a character that a name must not contain: a control character, or one that
/// reorders the text around it. Joiners and marks are part of names in many scripts.
#[must_use]
pub fn disturbs_text(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns bytes in hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bidi_and_invisible_characters_are_unseen() {
        let unseen =
            "\0\n\u{7f}\u{85}\u{ad}\u{200b}\u{200d}\u{202e}\u{2028}\u{2066}\u{feff}\u{e0041}";
        for character in unseen.chars() {
            assert!(is_unseen(character), "{character:?}");
        }
        for character in " /'\\\u{a0}aé中ก😀\u{301}".chars() {
            assert!(!is_unseen(character), "{character:?}");
        }
    }

    #[test]
    fn names_have_joiners_but_nothing_that_reorders() {
        for character in "\0\n\u{9b}\u{202e}\u{2067}".chars() {
            assert!(disturbs_text(character), "{character:?}");
        }
        for character in " \u{200c}\u{200d}\u{200e}\u{fe0f}ए".chars() {
            assert!(!disturbs_text(character), "{character:?}");
        }
    }
}
