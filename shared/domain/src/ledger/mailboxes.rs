//! Mailboxes of a ledger: their numbers, times and counters.

use super::Ledger;
use super::tracked::Tracked;
use crate::entry::Entry;
use crate::id::ProfileId;
use crate::mailbox::{Mailbox, Msgbox};
use crate::number::saturating;
use crate::time::Millis;

impl Ledger {
    /// Adds a mailbox that was read.
    pub fn read_mailbox(&mut self, owner: ProfileId, mailbox: Mailbox) {
        self.rows.mailboxes.insert(owner, Tracked::read(mailbox));
    }

    /// Notes that a profile has no mailbox, and that none is to be created.
    pub fn read_no_mailbox(&mut self, owner: ProfileId) {
        self.rows.mailboxes.insert(owner, Tracked::missing());
    }

    /// Notes that the owner of a mailbox has called, or that the app has named it. An empty mailbox
    /// beyond the app's quota is not kept for it.
    pub fn know(&mut self, owner: &ProfileId) {
        if self.is_abandoned(owner) && !self.may_keep_mailbox() {
            return;
        }
        let tracked = self.rows.mailboxes.get_mut(owner);
        let is_new =
            |tracked: &&mut Tracked<Mailbox>| tracked.current().is_some_and(|it| !it.known);
        if let Some(mailbox) = tracked.filter(is_new).and_then(Tracked::change) {
            mailbox.known = true;
            mailbox.caused_by = None;
        }
    }

    /// Removes the mailboxes that their owners have never used, and in which nothing is left, with
    /// all that they remember: a stranger's message creates a mailbox only for as long as it lives.
    pub(super) fn remove_abandoned(&mut self) {
        let head = self.bulk_head();
        let before = self.direct_changes.gone_mailboxes.len();
        // One that lacks bulk messages may get some.
        let is_abandoned =
            |mailbox: &Mailbox| mailbox.is_abandoned() && mailbox.bulk_cursor >= head;
        for tracked in self.rows.mailboxes.values_mut() {
            let Some(mailbox) = tracked.current().filter(|it| is_abandoned(it)) else {
                continue;
            };
            let (mailbox_id, seq) = (mailbox.mailbox_id, mailbox.seq);
            *tracked = Tracked::missing();
            let changes = &mut self.direct_changes;
            changes.gone_mailboxes.push(mailbox_id);
            changes.tombstones.retain(|it| it.mailbox_id != mailbox_id);
            if seq > 0 {
                changes.floors.insert(mailbox_id, seq);
            }
        }
        let gone = self.direct_changes.gone_mailboxes.len() - before;
        self.count_usage(0, -saturating::<i64, _>(gone));
    }

    /// A mailbox that was read.
    #[must_use]
    pub fn mailbox(&self, owner: &ProfileId) -> Option<&Mailbox> {
        self.rows.mailboxes.get(owner)?.current()
    }

    /// The mailboxes that were read.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.rows.mailboxes.values().filter_map(Tracked::current)
    }

    /// Deletes the tombstones of a mailbox up to `seq`, at most its last change. A floor is
    /// never lowered.
    pub fn raise_floor(&mut self, owner: &ProfileId, seq: i64) {
        let rises = |mailbox: &Mailbox| seq.min(mailbox.seq) > mailbox.floor_seq;
        if !self.has_read(owner) || !self.mailbox(owner).is_some_and(rises) {
            return;
        }
        let mailbox = self.rows.mailboxes.get_mut(owner);
        if let Some(mailbox) = mailbox.and_then(Tracked::change) {
            mailbox.floor_seq = seq.min(mailbox.seq);
            let floors = &mut self.direct_changes.floors;
            floors.insert(mailbox.mailbox_id, mailbox.floor_seq);
        }
    }

    /// Deletes a mailbox without entries, blocks and conversations, and its tombstones. False if it has
    /// any.
    pub fn delete_mailbox(&mut self, owner: &ProfileId) -> bool {
        if !self.has_read(owner) {
            return false;
        }
        let is_empty = |mailbox: &&Mailbox| {
            let mut boxes = Msgbox::ALL.iter();
            mailbox.blocks == 0
                && mailbox.conversations == 0
                && boxes.all(|msgbox| mailbox.counts.total(*msgbox) == 0)
        };
        let Some(mailbox) = self.mailbox(owner).filter(is_empty) else {
            return false;
        };
        let (mailbox_id, seq) = (mailbox.mailbox_id, mailbox.seq);
        self.direct_changes.floors.insert(mailbox_id, seq);
        self.direct_changes.gone_mailboxes.push(mailbox_id);
        self.count_usage(0, -1);
        self.rows
            .mailboxes
            .insert(owner.clone(), Tracked::missing());
        true
    }

    /// Takes the mailbox's next number and time.
    pub(super) fn tick(&mut self, owner: &ProfileId) -> Option<(&mut Mailbox, Millis)> {
        let now = self.now();
        let mailbox = self.rows.mailboxes.get_mut(owner)?.change()?;
        mailbox.seq += 1;
        mailbox.clock_ms = now.not_before(mailbox.clock_ms);
        let time = mailbox.clock_ms;
        self.entry_changes += 1;
        Some((mailbox, time))
    }
}

/// Adds an entry `by` times to its mailbox's counters.
pub(super) fn count(mailbox: &mut Mailbox, entry: &Entry, by: i64) {
    let counts = &mut mailbox.counts;
    match entry.msgbox {
        Msgbox::Inbox => {
            counts.inbox_total += by;
            counts.inbox_unread += if entry.is_unread() { by } else { 0 };
        }
        Msgbox::Sent => counts.sent_total += by,
    }
}
