//! A new content for a message, whoever asks for it.

use domain::{Content, MessageId, Violations};
use proto::v1;

use super::idempotency::Canonical;
use super::{content, expected_version, id};

/// A new content for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentUpdate {
    /// Which message.
    pub message_id: MessageId,
    /// What it says now.
    pub content: Content,
    /// The version that the caller knows; none: whatever is the latest.
    pub expected_version: Option<i64>,
}

impl ContentUpdate {
    /// Takes what a request says.
    pub fn parse(
        message_id: &str,
        content: Option<v1::Content>,
        expected_version: Option<i64>,
        violations: &mut Violations,
    ) -> Option<Self> {
        let message_id = id::message(message_id, violations);
        let content = content::parse(content, violations);
        let expected_version = expected_version::parse(expected_version, violations);
        Some(Self {
            message_id,
            content: content?,
            expected_version,
        })
    }

    /// Its canonical form, for that method.
    #[must_use]
    pub fn canonical(&self, method: &str) -> Canonical {
        Canonical::of(method)
            .field(self.message_id.uuid())
            .field(&self.content.encoded)
            .field(expected_version::canonical(self.expected_version))
    }
}
