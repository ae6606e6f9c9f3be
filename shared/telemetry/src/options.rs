//! What can be chosen about telemetry.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How the process tells what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How a line of the log is written.
    pub format: Format,
    /// What is logged.
    pub filter: Filter,
    /// Where traces go, as `http://host:4317`; none: nowhere.
    pub otlp_endpoint: Option<String>,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one object a line.
    Json,
}

/// Which events are logged: a level such as `info`, or directives such as
/// `info,postroom_rpc=debug`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filter(String);

/// A text that is no filter.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no log filter, such as \"info\" or \"info,postroom_rpc=debug\"")]
pub struct FilterError {
    text: String,
}

impl Filter {
    /// Takes directives, separated by commas.
    ///
    /// # Errors
    /// [`FilterError`] if one of them is malformed.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        match EnvFilter::try_new(text) {
            Ok(_) if !text.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(FilterError {
                text: text.to_owned(),
            }),
        }
    }

    pub(crate) fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl TryFrom<String> for Filter {
    type Error = FilterError;

    fn try_from(text: String) -> Result<Self, FilterError> {
        Self::parse(&text)
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives_are_filters() {
        for text in ["info", "off", "warn,rpc=debug"] {
            assert!(Filter::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_filter() {
        for text in ["", "rpc=loud", "a=b=c"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
