//! Results of a recount: stored counters against the entries they stand for.

use domain::ProfileId;

use crate::feed::MailboxKey;

/// Result of recounting a range of mailboxes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecountReport {
    /// Number of mailboxes recounted.
    pub mailboxes: u64,
    /// Number of entries in them.
    pub entries: u64,
    /// Differences found.
    pub drift: Vec<Drift>,
    /// Last mailbox recounted, from which the next range starts. None after the last range.
    pub next: Option<MailboxKey>,
}

/// Result of recounting what one app keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptRecount {
    /// Differences found.
    pub drift: Vec<Drift>,
    /// Number of the app, from which the next one is found. None behind the last app.
    pub next: Option<i64>,
}

/// A stored number of a mailbox or an app that differs from its recount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// App of the mailbox.
    pub app: String,
    /// Owner of the mailbox; none: a number of the app.
    pub profile: Option<ProfileId>,
    /// Name of the number.
    pub field: &'static str,
    /// Stored value.
    pub stored: i64,
    /// Recounted value.
    pub counted: i64,
    /// True if the stored value has been corrected.
    pub repaired: bool,
}
