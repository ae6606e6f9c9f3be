//! Who is told that mailboxes have changed.

use crate::feed::MailboxKey;

/// A mailbox and the number of its last change, as far as that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// The number.
    pub seq: i64,
}

/// Where a mailbox stands, as the store says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The number of its last change.
    pub head: Head,
    /// Whether it has something to take, which will be another change.
    pub is_due: bool,
}

/// Hears after each commit which mailboxes have changed. It is a hint to look, never what
/// there is to see: one that is lost delays, and loses nothing.
pub trait Wake: Send + Sync {
    /// These have changed. One that stands for all mailboxes of an app says that they have
    /// something to take; see [`MailboxKey::is_all`].
    fn changed(&self, heads: &[Head]);
    /// Hints may have been lost: any mailbox may have changed.
    fn lost(&self);
    /// The database has begun another life: nothing that was seen of any mailbox holds.
    fn replaced(&self);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Wake for Nobody {
    fn changed(&self, _: &[Head]) {}
    fn lost(&self) {}
    fn replaced(&self) {}
}
