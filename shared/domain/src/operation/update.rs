//! The app changes what a message says, for everyone who holds it.

use super::{Footprint, Revision};
use crate::content::Content;
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::refusal::Refusal;
use crate::violation::Violations;

/// Gives a message another content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Which message.
    pub message_id: MessageId,
    /// What it says now.
    pub content: Content,
    /// The version that the caller knows; none: whatever is the latest.
    pub expected_version: Option<i64>,
}

impl Update {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::of_messages([self.message_id])
    }

    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<Revision, Refusal> {
        revise(
            ledger,
            self.message_id,
            &self.content,
            self.expected_version,
        )
    }
}

/// Gives a message another content if it has the expected version; also if it says the
/// same already.
pub(super) fn revise(
    ledger: &mut Ledger,
    message_id: MessageId,
    content: &Content,
    expected_version: Option<i64>,
) -> Result<Revision, Refusal> {
    check_version(ledger, message_id, expected_version)?;
    let mut violations = Violations::none();
    content.check_size(
        ledger.policy().max_content_bytes,
        "content",
        &mut violations,
    );
    violations.check().map_err(Refusal::Invalid)?;
    ledger.revise_message(message_id, content.clone());
    let message = ledger.message(message_id).ok_or(Refusal::NotFound)?;
    Ok(Revision {
        message_id,
        version: message.version,
        update_ms: message.update_ms,
        digest: content.digest,
    })
}

/// Whether the message is there, in the expected version.
pub(super) fn check_version(
    ledger: &Ledger,
    message_id: MessageId,
    expected_version: Option<i64>,
) -> Result<(), Refusal> {
    let current = ledger.message(message_id).ok_or(Refusal::NotFound)?.version;
    match expected_version {
        Some(expected) if expected != current => {
            Err(Refusal::VersionMismatch { expected, current })
        }
        _ => Ok(()),
    }
}
