//! Options of telemetry.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// Options of logs and traces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Format of log lines.
    pub format: Format,
    /// Events that are logged.
    pub filter: Filter,
    /// OTLP endpoint for traces, such as `http://host:4317`. Default: traces are off.
    pub otlp_endpoint: Option<String>,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text for people.
    #[default]
    Text,
    /// JSON, an object per line.
    Json,
}

/// Log filter: a level such as `info`, or directives such as `info,postroom_rpc=debug`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filter(String);

/// Error for a text that is not a log filter.
#[derive(Debug, thiserror::Error)]
#[error("is not a log filter such as \"info\" or \"info,postroom_rpc=debug\"")]
pub struct FilterError;

impl Filter {
    /// Parses directives, separated by commas.
    ///
    /// # Errors
    /// [`FilterError`] if one of them is malformed.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        match EnvFilter::try_new(text) {
            Ok(_) if !text.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(FilterError),
        }
    }

    /// Texts of statements, and parameters of URLs that sqlx does not know, are left out, unless a
    /// directive asks for them.
    pub(crate) fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::new(format!(
            "sqlx::query=off,sqlx_postgres::options=off,{}",
            self.0
        ))
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
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::testing;

    #[test]
    fn a_filter_is_a_level_or_a_list_of_directives() {
        for text in ["info", "off", "warn,rpc=debug"] {
            assert!(Filter::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn statements_are_logged_only_if_a_directive_asks_for_them() {
        let logs_statements = |filter: &str| {
            let filter = Filter::parse(filter).expect("a filter").to_env_filter();
            let subscriber = tracing_subscriber::registry().with(filter);
            testing::under(
                subscriber,
                || tracing::enabled!(target: "sqlx::query", tracing::Level::WARN),
            )
        };
        assert!(!logs_statements("info"));
        assert!(logs_statements("info,sqlx::query=warn"));
    }

    #[test]
    fn a_malformed_directive_is_refused() {
        for text in ["", "rpc=loud", "a=b=c"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
