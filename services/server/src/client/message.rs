//! Arguments for the message that a command sends.

use clap::Args;
use proto::v1::Content;
use serde_json::json;
use uuid::Uuid;

use super::json as json_value;
use crate::failure::Failure;

/// Content as text or JSON, and the request id.
#[derive(Debug, Args)]
pub struct MessageArgs {
    /// Text; stored as {"text": …}
    #[arg(required_unless_present = "json", conflicts_with = "json")]
    text: Option<String>,
    /// Content as any JSON value, instead of a text
    #[arg(long)]
    json: Option<String>,
    /// Request id, which makes a retry safe. Default: a new UUID
    #[arg(long)]
    request_id: Option<String>,
}

impl MessageArgs {
    /// Parses the content.
    ///
    /// # Errors
    /// If `--json` is not valid JSON.
    pub fn content(&self) -> Result<Content, Failure> {
        let json = match (&self.json, &self.text) {
            (Some(json), _) => serde_json::from_str(json)
                .map_err(|error| Failure::Usage(format!("--json is not valid JSON: {error}")))?,
            (None, text) => json!({ "text": text }),
        };
        Ok(json_value::encode(json))
    }

    /// Request id, new if none was given.
    pub fn request_id(&self) -> String {
        self.request_id
            .clone()
            .unwrap_or_else(|| Uuid::now_v7().to_string())
    }
}
