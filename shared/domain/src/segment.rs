//! Messages to a segment: to more recipients than one transaction takes.
//!
//! The recipients are stored first, in chunks that never change. Then the message is sent, and
//! a job delivers it, one chunk a step. When the message changes, the job applies the change to
//! the delivered chunks.

mod job;

pub use job::{
    ChangeReport, JobChange, JobCounts, JobReport, JobState, SendJob, Step, chunks, is_left,
};

pub use crate::id::JobId;
use crate::id::ProfileId;

/// Segment of a message: recipients that are too many to be listed in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Job that delivers the message.
    pub job_id: JobId,
    /// The number of distinct recipients.
    pub recipients: u32,
    /// True if the app has deleted the message while boxes may still hold it.
    pub recalled: bool,
}

/// The recipients of a segment as they are stored, once all are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipients {
    /// Job that will deliver to the recipients.
    pub job_id: JobId,
    /// Number of distinct recipients.
    pub accepted: i64,
    /// Number of duplicates.
    pub duplicates: i64,
    /// Digest of the recipients, 32 bytes.
    pub digest: [u8; 32],
}

/// Hasher of the recipients of a segment: the digest depends neither on the order in which they
/// were named nor on duplicates.
#[derive(Debug)]
pub struct RecipientsDigest(blake3::Hasher);

impl RecipientsDigest {
    /// Digest of no recipients.
    #[must_use]
    pub fn begin() -> Self {
        Self(blake3::Hasher::new_derive_key(
            "postroom v1 segment recipients",
        ))
    }

    /// Adds the next recipient in bytewise order.
    pub fn add(&mut self, recipient: &ProfileId) {
        self.0.update(recipient.as_str().as_bytes());
        // No profile id contains it.
        self.0.update(b"\n");
    }

    /// Returns the digest of all recipients added.
    #[must_use]
    pub fn finish(&self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profile;

    #[test]
    fn recipients_keep_their_borders() {
        let digest = |names: &[&str]| {
            let mut digest = RecipientsDigest::begin();
            for name in names {
                digest.add(&profile(name));
            }
            digest.finish()
        };
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
        assert_ne!(digest(&["a", "b"]), digest(&["ab"]));
        assert_ne!(digest(&["a"]), digest(&["a", "b"]));
    }
}
