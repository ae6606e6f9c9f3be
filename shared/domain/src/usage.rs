//! Usage of an app: what is kept of it, counted if a quota asks for it.

/// Numbers that are kept of an app, or a change of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AppUsage {
    /// Bytes of the contents of its messages, whoever has sent them.
    pub bytes: i64,
    /// Mailboxes.
    pub mailboxes: i64,
}

/// Usage of an app at the start of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UsageState {
    /// Batches do not count it: no quota has asked for it.
    #[default]
    Uncounted,
    /// Batches count their changes; the sum is not known, or nobody asks for it.
    Counted,
    /// Batches count their changes, and this is the sum.
    Known(AppUsage),
}

impl std::ops::Sub for AppUsage {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            bytes: self.bytes - other.bytes,
            mailboxes: self.mailboxes - other.mailboxes,
        }
    }
}
