//! A key with its value, from a variable or a flag.

use super::value::SourcedValue;

/// Value of a key, with its source.
#[derive(Clone)]
pub struct Setting {
    /// Flag or variable, such as `--log-level` or `POSTROOM_LOG__LEVEL`.
    pub source: String,
    /// Key, such as `log.level`.
    pub key: String,
    /// Value, as the type of the key parses it.
    pub text: String,
}

/// Section of these settings. Later ones override earlier ones.
pub fn section(settings: Vec<Setting>) -> SourcedValue {
    let mut section = SourcedValue::empty("");
    for Setting { source, key, text } in settings {
        section.set(&key, SourcedValue::text(&source, &text));
    }
    section
}
