//! Updates of a message's content, by its sender or the app.

use domain::{Content, MessageId, Violations};
use proto::v1;

use super::idempotency::Canonical;
use super::{content, expected_version, id};

/// Update of a message's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentUpdate {
    /// Message to update.
    pub message_id: MessageId,
    /// New content.
    pub content: Content,
    /// Version that the caller expects; none for the latest.
    pub expected_version: Option<i64>,
}

impl ContentUpdate {
    /// Parses the fields of a request.
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

    /// Returns the canonical form, for the method of that path.
    #[must_use]
    pub fn canonical(&self, method: &str) -> Canonical {
        Canonical::of(method)
            .field(self.message_id.uuid())
            .field(&self.content.encoded)
            .field(expected_version::canonical(self.expected_version))
    }
}
