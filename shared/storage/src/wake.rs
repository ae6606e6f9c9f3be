//! Who is told that mailboxes have changed.

use domain::mailbox::Counts;

use crate::feed::{Bookmark, Change, Feed, MailboxKey};
use crate::read::{Item, Position};

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

/// An entry that came as the last change of its mailbox so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// Where the mailbox is with it.
    pub position: Position,
    /// The entry.
    pub item: Item,
    /// What the boxes hold with it.
    pub counts: Counts,
}

impl Arrival {
    /// What the store would say to a reader who has seen so much, if this is all.
    #[must_use]
    pub fn after(&self, seen: &Bookmark) -> Option<Feed> {
        let Position { epoch, seq } = self.position;
        let is_next = seen.stretch.is_none()
            && seen.position.epoch == epoch
            && seen.position.seq.checked_add(1) == Some(seq);
        is_next.then(|| {
            let reached = Bookmark::from(self.position);
            let item = Box::new(self.item.clone());
            Feed {
                mailbox: self.mailbox,
                broken: None,
                changes: vec![(reached, Change::Received(item))],
                reached,
                more: false,
                counts: self.counts,
                head: seq,
            }
        })
    }
}

/// Hears after each commit which mailboxes have changed. It is a hint to look, never what
/// there is to see: one that is lost delays, and loses nothing.
pub trait Wake: Send + Sync {
    /// These came, as is said of their mailboxes right after this. Who has seen all that was
    /// before one needs no other look; it may be forgotten like any hint.
    fn arrived(&self, _: Vec<Arrival>) {}
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
