//! A key with its value, from a variable or a flag.

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider, util};

/// Value of a key, with its source.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Flag or variable, such as `--log-level` or `POSTROOM_LOG__LEVEL`.
    pub source: String,
    /// Key, such as `log.level`.
    pub key: String,
    /// Value.
    pub value: Value,
}

impl Provider for Setting {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = util::nest(&self.key, self.value.clone())
            .into_dict()
            .unwrap_or_default();
        Ok(Profile::Default.collect(nested))
    }
}
