//! Configuration from the flags of the command line.

use super::setting::Setting;

/// Values of flags, by key.
#[derive(Clone, Default)]
pub struct Flags(Vec<Setting>);

impl Flags {
    /// Adds the value of `flag` for `key`, if the flag was given.
    #[must_use]
    pub fn with(mut self, flag: &str, key: &str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| Setting {
            source: flag.to_owned(),
            key: key.to_owned(),
            text: value.to_string(),
        }));
        self
    }

    pub(super) fn into_settings(self) -> Vec<Setting> {
        self.0
    }
}
