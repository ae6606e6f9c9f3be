//! Endpoint of the traces' collector.

use http::Uri;
use serde::Deserialize;

/// OTLP endpoint, `http://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OtlpEndpoint(String);

/// Error for a text that is not an endpoint.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be http://host:port of a collector on a trusted network: traces are sent in plaintext"
)]
pub struct NotAnEndpoint;

impl OtlpEndpoint {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OtlpEndpoint {
    type Error = NotAnEndpoint;

    fn try_from(text: String) -> Result<Self, NotAnEndpoint> {
        let uri: Uri = text.parse().map_err(|_| NotAnEndpoint)?;
        let usable = uri.scheme_str() == Some("http") && uri.port().is_some();
        if usable {
            Ok(Self(text))
        } else {
            Err(NotAnEndpoint)
        }
    }
}
