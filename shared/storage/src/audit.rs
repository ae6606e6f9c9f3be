//! Whether what is stored agrees with itself.

use domain::ProfileId;

/// What a recount of some mailboxes found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many mailboxes were recounted.
    pub mailboxes: u64,
    /// How many entries they hold.
    pub entries: u64,
    /// What does not agree.
    pub drift: Vec<Drift>,
    /// Where the next part begins; none: this was the last one.
    pub next: Option<(i64, i64)>,
}

/// A number of a mailbox that is not what its entries say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The app.
    pub app: String,
    /// The owner.
    pub profile: ProfileId,
    /// Which number.
    pub what: &'static str,
    /// What the mailbox says.
    pub stored: i64,
    /// What its entries say.
    pub counted: i64,
    /// Whether the mailbox says the same now.
    pub repaired: bool,
}
