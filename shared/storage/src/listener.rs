//! Notifications of committed changes.

use domain::mailbox::Counts;

use crate::feed::{FeedChange, FeedOffset, FeedPage, FeedPosition, MailboxKey};
use crate::read::Item;

/// Head of a mailbox: the number of its last known change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxHead {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// `seq` of the change.
    pub seq: i64,
}

/// An entry received as the latest change of its mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// Feed offset of the change.
    pub offset: FeedOffset,
    /// The entry with its message.
    pub item: Item,
    /// Counts of the mailbox after the change.
    pub counts: Counts,
}

impl Arrival {
    /// Returns the feed page that a read after `seen` would yield, if this arrival is the only
    /// change behind it.
    #[must_use]
    pub fn feed_page_after(&self, seen: &FeedPosition) -> Option<FeedPage> {
        let FeedOffset { epoch, seq } = self.offset;
        let is_next = seen.backlog.is_none()
            && seen.offset.epoch == epoch
            && seen.offset.seq.checked_add(1) == Some(seq);
        is_next.then(|| {
            let reached = FeedPosition::from(self.offset);
            let item = Box::new(self.item.clone());
            FeedPage {
                mailbox: self.mailbox,
                resync: None,
                changes: vec![(reached, FeedChange::Received(item))],
                reached,
                more: false,
                counts: self.counts,
                head: seq,
            }
        })
    }
}

/// Listener for committed changes. Notifications are hints to read the feed: a lost one delays
/// readers until the next poll and loses no change. Methods must not block.
pub trait ChangeListener: Send + Sync {
    /// Called with entries received, right before [`Self::on_changed`] is called with their
    /// mailboxes. May be ignored.
    fn on_arrivals(&self, _: Vec<Arrival>) {}
    /// Called after a commit with the mailboxes changed. A key of all mailboxes of an app
    /// ([`MailboxKey::is_all`]) means that they are due.
    fn on_changed(&self, heads: &[MailboxHead]);
    /// Called when notifications may have been lost: any mailbox may have changed.
    fn on_hints_lost(&self);
    /// Called when the epoch has changed: nothing read from any mailbox before is valid.
    fn on_database_replaced(&self);
}

/// A [`ChangeListener`] that ignores all notifications.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoListener;

impl ChangeListener for NoListener {
    fn on_changed(&self, _: &[MailboxHead]) {}
    fn on_hints_lost(&self) {}
    fn on_database_replaced(&self) {}
}
