//! The change feed of a mailbox: the latest change of each entry, in the order of `seq`.
//!
//! A reader reads the feed in windows. A window runs from the position of the reader to the
//! head of the mailbox at that time; while it takes several reads, its bounds are part of the
//! reader's position, so that every read of it classifies changes alike:
//!
//! - an entry created after the start of the backlog is reported as received, otherwise as
//!   updated;
//! - the deletion of an entry that was created within the window is not reported.
//!
//! An entry that changes while a window is read moves behind it. Whether it was delivered
//! before is then unknown: a position says how far the reader is, not which entries it got. So
//! the start of the backlog is carried from window to window until the reader has caught up. An
//! entry created behind that start may be reported as received twice, and its deletion may be
//! reported although it was never delivered. An entry reported as updated has always been
//! delivered before.

use domain::mailbox::Counts;
use domain::{MessageId, Msgbox};
use uuid::Uuid;

use crate::read::Item;

/// Key of a mailbox within the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxKey {
    /// Number of the app.
    pub app_no: i64,
    /// Number of the mailbox, from 1.
    pub mailbox_id: i64,
}

impl MailboxKey {
    /// Returns the key that stands for all mailboxes of an app.
    #[must_use]
    pub const fn all_of(app_no: i64) -> Self {
        Self {
            app_no,
            mailbox_id: 0,
        }
    }

    /// Returns whether the key stands for all mailboxes of its app.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.mailbox_id == 0
    }
}

/// Offset in the feed of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedOffset {
    /// Epoch of the database, outside of which `seq` has no meaning.
    pub epoch: Uuid,
    /// Number of a change of the mailbox; 0 before the first one.
    pub seq: i64,
}

/// Start of a read of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedStart {
    /// The head: no past changes.
    Head,
    /// The beginning: all stored changes.
    Beginning,
    /// The changes after a position.
    After(FeedPosition),
}

/// Position of a reader in the feed: the state behind a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPosition {
    /// Last change read.
    pub offset: FeedOffset,
    /// Current or last window of the backlog. None once the reader has caught up.
    pub window: Option<BacklogWindow>,
}

impl FeedPosition {
    /// Returns the window that the reader has not read to its end.
    fn open_window(&self) -> Option<BacklogWindow> {
        self.window
            .filter(|window| self.offset.seq < window.until_seq)
    }
}

impl From<FeedOffset> for FeedPosition {
    fn from(offset: FeedOffset) -> Self {
        Self {
            offset,
            window: None,
        }
    }
}

/// A range of changes that a reader reads with several calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacklogWindow {
    /// Start of the backlog: the last change at which the reader had caught up.
    pub backlog_seq: i64,
    /// Start of the window, exclusive.
    pub after_seq: i64,
    /// End of the window, inclusive.
    pub until_seq: i64,
}

/// A page of the feed, with the state of the mailbox in the same snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// Reason why the reader cannot resume from its position. The page is then empty and ends
    /// at the head.
    pub resync: Option<ResyncReason>,
    /// Changes, each with the position behind it.
    pub changes: Vec<(FeedPosition, FeedChange)>,
    /// Position behind the page.
    pub reached: FeedPosition,
    /// True if there are more changes behind the page.
    pub more: bool,
    /// Counts of the mailbox.
    pub counts: Counts,
    /// Head of the mailbox.
    pub head: i64,
}

/// A change of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedChange {
    /// An entry that the reader may not have.
    Received(Box<Item>),
    /// An entry that the reader has in an older state.
    Updated(Box<Item>),
    /// An entry that has been deleted.
    Deleted(Msgbox, MessageId),
}

/// Reason why a reader cannot resume from its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResyncReason {
    /// The position is of another epoch.
    EpochChanged,
    /// Tombstones behind the position have been trimmed.
    TooOld,
    /// The position is beyond the head.
    Ahead,
}

/// Size limits of a feed page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// Maximum number of changes.
    pub changes_max: u32,
    /// Maximum number of bytes of content; the first change is returned whatever its size.
    pub bytes_max: usize,
}

impl FeedStart {
    /// Returns the range of `seq` to read: after the first, up to and including the second.
    #[must_use]
    pub fn bounds(&self) -> (i64, i64) {
        match self {
            Self::Head => (i64::MAX, i64::MAX),
            Self::Beginning => (0, i64::MAX),
            Self::After(position) => {
                let until_seq = position.open_window().map(|window| window.until_seq);
                (position.offset.seq, until_seq.unwrap_or(i64::MAX))
            }
        }
    }

    /// Returns the window to read from a mailbox with this head and floor.
    ///
    /// # Errors
    /// The reason why the reader cannot resume.
    pub fn window(
        &self,
        epoch: Uuid,
        head: i64,
        floor: i64,
    ) -> Result<BacklogWindow, ResyncReason> {
        let position = match self {
            Self::Head => return Ok(BacklogWindow::first(head, head)),
            Self::Beginning => return Ok(BacklogWindow::first(0, head)),
            Self::After(position) => position,
        };
        let seq = position.offset.seq;
        let next = || BacklogWindow {
            backlog_seq: position.window.map_or(seq, |read| read.backlog_seq),
            ..BacklogWindow::first(seq, head)
        };
        let window = position.open_window().unwrap_or_else(next);
        // A reader that started from the beginning had no entry whose deletion it could miss.
        let complete_until = if window.after_seq == 0 {
            window.until_seq.max(seq)
        } else {
            seq
        };
        if position.offset.epoch != epoch {
            Err(ResyncReason::EpochChanged)
        } else if seq > head || window.until_seq > head {
            Err(ResyncReason::Ahead)
        } else if complete_until < floor {
            Err(ResyncReason::TooOld)
        } else {
            Ok(window)
        }
    }
}

impl BacklogWindow {
    /// Returns the first window of a backlog.
    #[must_use]
    pub const fn first(after_seq: i64, until_seq: i64) -> Self {
        Self {
            backlog_seq: after_seq,
            after_seq,
            until_seq,
        }
    }

    /// Returns whether the reader has the entry created at `create_seq`: it had caught up with
    /// that change.
    #[must_use]
    pub const fn is_known(&self, create_seq: i64) -> bool {
        create_seq <= self.backlog_seq
    }

    /// Returns whether the reader may have the deleted entry that was created at `create_seq`.
    #[must_use]
    pub const fn may_be_known(&self, create_seq: i64) -> bool {
        create_seq <= self.after_seq
    }

    /// Returns the position of a reader that has read the window up to `seq`, of a mailbox with
    /// this head.
    #[must_use]
    pub const fn position_at(self, epoch: Uuid, seq: i64, head: i64) -> FeedPosition {
        let window = if seq < head { Some(self) } else { None };
        FeedPosition {
            offset: FeedOffset { epoch, seq },
            window,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Uuid = Uuid::from_u128(1);

    fn after(seq: i64, window: Option<(i64, i64)>) -> FeedStart {
        FeedStart::After(FeedPosition {
            offset: FeedOffset { epoch: EPOCH, seq },
            window: window.map(|(after_seq, until_seq)| BacklogWindow::first(after_seq, until_seq)),
        })
    }

    fn bounds(start: FeedStart, head: i64, floor: i64) -> Result<(i64, i64), ResyncReason> {
        let window = start.window(EPOCH, head, floor)?;
        Ok((window.after_seq, window.until_seq))
    }

    #[test]
    fn a_window_ends_at_the_head_and_keeps_its_bounds_until_it_has_been_read() {
        assert_eq!(bounds(FeedStart::Beginning, 9, 5), Ok((0, 9)));
        assert_eq!(bounds(FeedStart::Head, 9, 5), Ok((9, 9)));
        assert_eq!(bounds(after(6, None), 9, 5), Ok((6, 9)));
        assert_eq!(bounds(after(6, Some((5, 8))), 9, 5), Ok((5, 8)));
        let window = BacklogWindow::first(2, 5);
        assert_eq!(window.position_at(EPOCH, 4, 5).window, Some(window));
        assert_eq!(window.position_at(EPOCH, 5, 5).window, None);
    }

    #[test]
    fn a_backlog_keeps_its_start_until_the_reader_has_caught_up() {
        let ended = BacklogWindow::first(2, 5).position_at(EPOCH, 5, 9);
        let next = FeedStart::After(ended).window(EPOCH, 9, 0);
        let next = next.expect("a window");
        assert_eq!(
            (next.backlog_seq, next.after_seq, next.until_seq),
            (2, 5, 9)
        );
        assert_eq!(FeedStart::After(ended).bounds(), (5, i64::MAX));
        // An entry created within the backlog may have been delivered, or not.
        for (create_seq, is_known, may_be_known) in
            [(2, true, true), (4, false, true), (7, false, false)]
        {
            assert_eq!(next.is_known(create_seq), is_known);
            assert_eq!(next.may_be_known(create_seq), may_be_known);
        }
        let caught_up = FeedStart::After(next.position_at(EPOCH, 9, 9));
        let after = caught_up.window(EPOCH, 12, 0).expect("a window");
        assert_eq!(after, BacklogWindow::first(9, 12));
    }

    #[test]
    fn an_invalid_position_yields_the_resync_reason() {
        let other_epoch = Uuid::from_u128(2);
        let moved = after(6, None).window(other_epoch, 9, 0);
        assert_eq!(moved, Err(ResyncReason::EpochChanged));
        assert_eq!(bounds(after(4, None), 9, 5), Err(ResyncReason::TooOld));
        let old = after(4, Some((3, 8)));
        assert_eq!(bounds(old, 9, 5), Err(ResyncReason::TooOld));
        assert_eq!(bounds(after(10, None), 9, 5), Err(ResyncReason::Ahead));
        let ahead = after(8, Some((0, 10)));
        assert_eq!(bounds(ahead, 9, 5), Err(ResyncReason::Ahead));
    }

    #[test]
    fn a_replay_from_the_beginning_is_exempt_from_the_floor() {
        assert_eq!(bounds(after(1, Some((0, 8))), 9, 8), Ok((0, 8)));
        let old = after(1, Some((0, 7)));
        assert_eq!(bounds(old, 9, 8), Err(ResyncReason::TooOld));
        assert_eq!(bounds(after(0, None), 9, 8), Ok((0, 9)));
    }
}
