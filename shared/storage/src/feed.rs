//! The change feed of a mailbox: the latest change of each entry, in the order of `seq`.
//!
//! A read reports every entry that changed after the position of the reader, in its current
//! state, and every deletion after it, whether or not the reader has the entry: entries may also
//! come from pages, which are younger than the position.
//!
//! A reader with a long backlog reads it in parts, and entries that change meanwhile move to its
//! end. So the start of the backlog is part of the position until the reader has caught up: an
//! entry created behind it is reported as received, otherwise as updated. A replay of all stored
//! entries also keeps its end: deletions before that are not reported, because the replay shows
//! what is left, and so it needs no tombstones that were trimmed.

use domain::limits::CHANGES_MAX;
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
    /// Backlog of the reader. None once it has caught up.
    pub backlog: Option<Backlog>,
}

impl FeedPosition {
    /// Returns the `seq` up to which the reader needs no more deletions.
    fn deletions_seq(&self) -> i64 {
        match self.backlog {
            Some(Backlog::Replay { until_seq }) => until_seq.max(self.offset.seq),
            Some(Backlog::Since(_)) | None => self.offset.seq,
        }
    }
}

impl From<FeedOffset> for FeedPosition {
    fn from(offset: FeedOffset) -> Self {
        Self {
            offset,
            backlog: None,
        }
    }
}

/// Start of a backlog that a reader reads with several calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// The changes after this `seq`, at which the reader had caught up.
    Since(i64),
    /// All stored entries.
    Replay {
        /// Head of the mailbox when the replay began.
        until_seq: i64,
    },
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
    /// An entry created within the backlog.
    Received(Box<Item>),
    /// An entry created before the backlog.
    Updated(Box<Item>),
    /// An entry that has been deleted; the reader may not have it.
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

/// Limits of a feed page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// The only box whose changes are returned; none for both. The page may be empty while there
    /// are more changes.
    pub only: Option<Msgbox>,
    /// Maximum number of changes.
    pub changes_max: u32,
    /// Maximum number of bytes of content; the first change is returned whatever its size.
    pub bytes_max: usize,
}

impl FeedLimits {
    /// Returns the maximum number of changes that a read examines.
    #[must_use]
    pub fn examined_max(&self) -> u32 {
        match self.only {
            None => self.changes_max,
            Some(_) => self.changes_max.max(CHANGES_MAX),
        }
    }
}

impl FeedStart {
    /// Returns the `seq` after which entries are read, and the one after which deletions are.
    #[must_use]
    pub fn bounds(&self) -> (i64, i64) {
        match self {
            Self::Head => (i64::MAX, i64::MAX),
            Self::Beginning => (0, i64::MAX),
            Self::After(position) => (position.offset.seq, position.deletions_seq()),
        }
    }

    /// Returns the backlog to read from a mailbox with this head and floor.
    ///
    /// # Errors
    /// The reason why the reader cannot resume.
    pub fn backlog(&self, epoch: Uuid, head: i64, floor: i64) -> Result<Backlog, ResyncReason> {
        let position = match self {
            Self::Head => return Ok(Backlog::Since(head)),
            Self::Beginning => return Ok(Backlog::Replay { until_seq: head }),
            Self::After(position) => position,
        };
        let FeedOffset { epoch: own, seq } = position.offset;
        if own != epoch {
            Err(ResyncReason::EpochChanged)
        } else if position.deletions_seq() > head {
            Err(ResyncReason::Ahead)
        } else if position.deletions_seq() < floor {
            Err(ResyncReason::TooOld)
        } else {
            Ok(position.backlog.unwrap_or(Backlog::Since(seq)))
        }
    }
}

impl Backlog {
    /// Returns whether an entry with this `create_seq` was created before the backlog.
    #[must_use]
    pub const fn begins_after(self, create_seq: i64) -> bool {
        match self {
            Self::Since(seq) => create_seq <= seq,
            Self::Replay { .. } => false,
        }
    }

    /// Returns the position of a reader that has read the backlog up to `seq`, of a mailbox with
    /// this head.
    #[must_use]
    pub const fn position_at(self, epoch: Uuid, seq: i64, head: i64) -> FeedPosition {
        let backlog = if seq < head { Some(self) } else { None };
        FeedPosition {
            offset: FeedOffset { epoch, seq },
            backlog,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Uuid = Uuid::from_u128(1);

    fn after(seq: i64, backlog: Option<Backlog>) -> FeedStart {
        FeedStart::After(FeedPosition {
            offset: FeedOffset { epoch: EPOCH, seq },
            backlog,
        })
    }

    const fn replay(until_seq: i64) -> Backlog {
        Backlog::Replay { until_seq }
    }

    #[test]
    fn a_backlog_keeps_its_start_until_the_reader_has_caught_up() {
        let began = after(2, None).backlog(EPOCH, 5, 0);
        assert_eq!(began, Ok(Backlog::Since(2)));
        for backlog in [Backlog::Since(2), replay(5)] {
            let position = backlog.position_at(EPOCH, 4, 9);
            assert_eq!(position.backlog, Some(backlog));
            let next = FeedStart::After(position).backlog(EPOCH, 9, 0);
            assert_eq!(next, Ok(backlog));
            assert_eq!(backlog.position_at(EPOCH, 9, 9).backlog, None);
        }
        let start = FeedStart::Beginning.backlog(EPOCH, 9, 5);
        assert_eq!(start, Ok(replay(9)));
        assert_eq!(FeedStart::Head.backlog(EPOCH, 9, 5), Ok(Backlog::Since(9)));
    }

    #[test]
    fn an_entry_created_within_the_backlog_is_new() {
        for (create_seq, is_before) in [(1, true), (2, true), (3, false)] {
            assert_eq!(Backlog::Since(2).begins_after(create_seq), is_before);
            assert!(!replay(9).begins_after(create_seq));
        }
    }

    #[test]
    fn a_replay_reads_deletions_after_its_end_only() {
        assert_eq!(FeedStart::Head.bounds(), (i64::MAX, i64::MAX));
        assert_eq!(FeedStart::Beginning.bounds(), (0, i64::MAX));
        for (start, bounds) in [
            (after(0, None), (0, 0)),
            (after(3, Some(Backlog::Since(0))), (3, 3)),
            (after(3, Some(replay(8))), (3, 8)),
            (after(9, Some(replay(8))), (9, 9)),
        ] {
            assert_eq!(start.bounds(), bounds, "{start:?}");
        }
    }

    #[test]
    fn an_invalid_position_yields_the_resync_reason() {
        use ResyncReason as R;
        let moved = after(6, None).backlog(Uuid::from_u128(2), 9, 0);
        assert_eq!(moved, Err(R::EpochChanged));
        for (start, reason) in [
            (after(0, None), R::TooOld),
            (after(4, Some(Backlog::Since(0))), R::TooOld),
            (after(1, Some(replay(4))), R::TooOld),
            (after(10, None), R::Ahead),
            (after(8, Some(replay(10))), R::Ahead),
        ] {
            assert_eq!(start.backlog(EPOCH, 9, 5), Err(reason), "{start:?}");
        }
    }

    #[test]
    fn a_replay_is_exempt_from_the_floor_at_its_beginning() {
        let replay = replay(8);
        assert_eq!(after(1, Some(replay)).backlog(EPOCH, 9, 8), Ok(replay));
    }
}
