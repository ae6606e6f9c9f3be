//! Endpoint of the traces' collector.

use http::Uri;
use serde::Deserialize;

/// OTLP endpoint, `https://host:port`, or `http://host:port` on a trusted network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OtlpEndpoint(String);

/// Error for a text that is not an endpoint.
#[derive(Debug, thiserror::Error)]
#[error("must be https://host:port of a collector, or http://host:port on a trusted network")]
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
        let usable = matches!(uri.scheme_str(), Some("http" | "https")) && uri.port().is_some();
        if usable {
            Ok(Self(text))
        } else {
            Err(NotAnEndpoint)
        }
    }
}
