//! What an operation did: the answer, also when the request is repeated.

use serde::{Deserialize, Serialize};

use crate::content::Digest;
use crate::id::MessageId;
use crate::policy::Settings;
use crate::time::Millis;

/// What an operation did. It is kept with the request's key for as long as the request can
/// be repeated, so names of fields and variants stay; they are short because every
/// repeatable request stores one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// What was asked, without more to say.
    #[serde(rename = "d")]
    Done,
    /// A message was sent.
    #[serde(rename = "s")]
    Sent(Sent),
    /// So many of the asked-for entries or messages are now as wished.
    #[serde(rename = "c")]
    Changed(u32),
    /// A message says something else now.
    #[serde(rename = "r")]
    Revised(Revision),
    /// The app's settings are these now.
    #[serde(rename = "a")]
    Configured(Settings),
}

/// A message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its id.
    #[serde(rename = "i")]
    pub message_id: MessageId,
    /// Distinct recipients.
    #[serde(rename = "r")]
    pub requested: u32,
    /// Inboxes that took it.
    #[serde(rename = "a")]
    pub actual: u32,
    /// When it was sent.
    #[serde(rename = "s")]
    pub send_ms: Millis,
    /// When it vanishes.
    #[serde(rename = "e")]
    pub expire_ms: Millis,
}

/// A new version of a message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The message.
    #[serde(rename = "i")]
    pub message_id: MessageId,
    /// Its version now.
    #[serde(rename = "v")]
    pub version: i64,
    /// When it changed.
    #[serde(rename = "u")]
    pub update_ms: Millis,
    /// The digest of what it says now.
    #[serde(rename = "d")]
    pub digest: Digest,
}

impl Outcome {
    /// The form that is stored.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("an outcome has no map keys that are no strings")
    }

    /// Reads the stored form. None if it is none.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
