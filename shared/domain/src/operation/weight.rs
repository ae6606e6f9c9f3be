//! Estimated load of an operation on its transaction.

use std::ops::AddAssign;

use crate::content::Content;
use crate::limits::LARGE_ENTRIES_MIN;

/// Estimated number of holders of a message, or of due entries, before they are read.
pub(super) const HOLDERS_ESTIMATE: usize = 20;

/// Estimated load of an operation, or of a transaction of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes of content to store.
    pub bytes: usize,
    /// Entries to touch.
    pub entries: usize,
}

impl Weight {
    /// Weight of an operation that stores no content.
    #[must_use]
    pub const fn of_entries(entries: usize) -> Self {
        Self { bytes: 0, entries }
    }

    /// Weight of an operation that stores a content.
    #[must_use]
    pub const fn of_content(content: &Content, entries: usize) -> Self {
        Self {
            bytes: content.encoded.len(),
            entries,
        }
    }

    /// True if later operations of the lane would wait noticeably.
    #[must_use]
    pub const fn is_large(&self) -> bool {
        self.entries >= LARGE_ENTRIES_MIN
    }
}

impl AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.entries += other.entries;
    }
}
