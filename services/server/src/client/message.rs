//! The message that a command sends.

use clap::Args;
use proto::v1::Content;
use serde_json::json;
use uuid::Uuid;

use super::content;
use crate::failure::Failure;

/// What is written, as text or as JSON.
#[derive(Debug, Args)]
pub struct MessageArgs {
    /// The text; stored as {"text": …}
    #[arg(required_unless_present = "json", conflicts_with = "json")]
    text: Option<String>,
    /// The content as any JSON value, instead of a text
    #[arg(long)]
    json: Option<String>,
    /// Makes repeating the command safe; a new UUID if none is given
    #[arg(long)]
    request_id: Option<String>,
}

impl MessageArgs {
    /// The content.
    ///
    /// # Errors
    /// If the JSON is none.
    pub fn content(&self) -> Result<Content, Failure> {
        let json = match (&self.json, &self.text) {
            (Some(json), _) => serde_json::from_str(json)
                .map_err(|error| Failure::Usage(format!("--json is no JSON: {error}")))?,
            (None, text) => json!({ "text": text }),
        };
        Ok(content::content(json))
    }

    /// The id under which the command may be repeated.
    pub fn request_id(&self) -> String {
        self.request_id
            .clone()
            .unwrap_or_else(|| Uuid::now_v7().to_string())
    }
}
