//! The feed of a mailbox: what changed in it after a place, in the order in which it did.
//!
//! It is read in stretches. A stretch is what lies between a reader and the head as the
//! reader first saw it; where a stretch is longer than one read, its ends go with the
//! reader from read to read. So it stays known what the reader had before the stretch began:
//! an entry that came within it is new, whenever it changed last, and one that came and went
//! within it is not mentioned.
//!
//! An entry that changes while a stretch is read moves behind it. Whether the reader was
//! shown it before is not known then: that would take what it was shown, and not only how
//! far. So the beginning of the backlog goes on from stretch to stretch, until the reader has
//! everything. An entry that came after it is new, perhaps for the second time; one that
//! went is said to have gone, perhaps without ever having been shown. What is said to be
//! different, the reader has.

use domain::mailbox::Counts;
use domain::{MessageId, Msgbox};
use uuid::Uuid;

use crate::read::{Item, Position};

/// A mailbox, as the store numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxKey {
    /// The number of its app.
    pub app_no: i64,
    /// Its own number.
    pub mailbox_id: i64,
}

impl MailboxKey {
    /// All mailboxes of an app at once.
    #[must_use]
    pub const fn all_of(app_no: i64) -> Self {
        Self {
            app_no,
            mailbox_id: 0,
        }
    }

    /// Whether it stands for all mailboxes of its app.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.mailbox_id == 0
    }
}

/// Where a reader of the feed goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// At the head: nothing of what has been.
    Now,
    /// Before everything that is stored.
    Beginning,
    /// After what it has seen.
    After(Bookmark),
}

/// What a reader of the feed has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bookmark {
    /// The last change that it has seen.
    pub position: Position,
    /// The stretch that it is in, or has come to the end of, unless it has seen everything.
    pub stretch: Option<Stretch>,
}

impl Bookmark {
    /// The stretch that it is in the middle of.
    fn unfinished(&self) -> Option<Stretch> {
        self.stretch
            .filter(|stretch| self.position.seq < stretch.until)
    }
}

impl From<Position> for Bookmark {
    fn from(position: Position) -> Self {
        Self {
            position,
            stretch: None,
        }
    }
}

/// A stretch of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The change up to which the reader had everything, before this stretch or an earlier
    /// one of the same backlog.
    pub backlog: i64,
    /// The change after which it begins.
    pub since: i64,
    /// The last change in it.
    pub until: i64,
}

/// A part of the feed, with the mailbox as it was in the same snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// Why the reader cannot go on where it was; then it goes on at the head.
    pub broken: Option<Broken>,
    /// What changed, each with what the reader has seen with it.
    pub changes: Vec<(Bookmark, Change)>,
    /// What the reader has seen with all of it.
    pub reached: Bookmark,
    /// Whether there is more to read at once.
    pub more: bool,
    /// What the boxes hold.
    pub counts: Counts,
    /// The number of the mailbox's last change.
    pub head: i64,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Received(Box<Item>),
    /// It is different.
    Updated(Box<Item>),
    /// It is gone.
    Deleted(Msgbox, MessageId),
}

/// Why a reader cannot go on where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The database has begun another life since.
    EpochChanged,
    /// Deletions that it has not seen are forgotten.
    TooOld,
    /// It has seen what the database does not know.
    Ahead,
}

/// How much of the feed to read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPart {
    /// Changes at the most.
    pub changes_max: u32,
    /// Bytes of content at the most, but for the first change.
    pub bytes_max: usize,
}

impl Since {
    /// The numbers of changes between which the next one is: after the first, up to the
    /// second.
    #[must_use]
    pub fn bounds(&self) -> (i64, i64) {
        match self {
            Self::Now => (i64::MAX, i64::MAX),
            Self::Beginning => (0, i64::MAX),
            Self::After(bookmark) => {
                let until = bookmark.unfinished().map(|stretch| stretch.until);
                (bookmark.position.seq, until.unwrap_or(i64::MAX))
            }
        }
    }

    /// The stretch that is read next from a mailbox with that head, whose deletions up to
    /// `floor` are forgotten.
    ///
    /// # Errors
    /// Why the reader cannot go on.
    pub fn stretch(&self, epoch: Uuid, head: i64, floor: i64) -> Result<Stretch, Broken> {
        let bookmark = match self {
            Self::Now => return Ok(Stretch::after(head, head)),
            Self::Beginning => return Ok(Stretch::after(0, head)),
            Self::After(bookmark) => bookmark,
        };
        let seq = bookmark.position.seq;
        let next = || Stretch {
            backlog: bookmark.stretch.map_or(seq, |ended| ended.backlog),
            ..Stretch::after(seq, head)
        };
        let stretch = bookmark.unfinished().unwrap_or_else(next);
        // Who began with nothing misses no deletion of what was there then.
        let missed_none_until = if stretch.since == 0 {
            stretch.until.max(seq)
        } else {
            seq
        };
        if bookmark.position.epoch != epoch {
            Err(Broken::EpochChanged)
        } else if seq > head || stretch.until > head {
            Err(Broken::Ahead)
        } else if missed_none_until < floor {
            Err(Broken::TooOld)
        } else {
            Ok(stretch)
        }
    }
}

impl Stretch {
    /// The first one of a backlog.
    #[must_use]
    pub const fn after(since: i64, until: i64) -> Self {
        Self {
            backlog: since,
            since,
            until,
        }
    }

    /// Whether a reader had everything when the entry came that came with that number: it
    /// has it.
    #[must_use]
    pub const fn had(&self, create_seq: i64) -> bool {
        create_seq <= self.backlog
    }

    /// Whether a reader may have been shown the entry that came with that number and is gone.
    #[must_use]
    pub const fn may_have_shown(&self, create_seq: i64) -> bool {
        create_seq <= self.since
    }

    /// What a reader has seen that has read this stretch up to a change, of a mailbox with
    /// that head.
    #[must_use]
    pub const fn seen(self, epoch: Uuid, seq: i64, head: i64) -> Bookmark {
        let stretch = if seq < head { Some(self) } else { None };
        Bookmark {
            position: Position { epoch, seq },
            stretch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Uuid = Uuid::from_u128(1);

    fn after(seq: i64, stretch: Option<(i64, i64)>) -> Since {
        let position = Position { epoch: EPOCH, seq };
        Since::After(Bookmark {
            position,
            stretch: stretch.map(|(since, until)| Stretch::after(since, until)),
        })
    }

    fn read(since: Since, head: i64, floor: i64) -> Result<(i64, i64), Broken> {
        let stretch = since.stretch(EPOCH, head, floor)?;
        Ok((stretch.since, stretch.until))
    }

    #[test]
    fn a_stretch_goes_to_the_head_and_keeps_its_ends_while_it_is_read() {
        assert_eq!(read(Since::Beginning, 9, 5), Ok((0, 9)));
        assert_eq!(read(Since::Now, 9, 5), Ok((9, 9)));
        assert_eq!(read(after(6, None), 9, 5), Ok((6, 9)));
        assert_eq!(read(after(6, Some((5, 8))), 9, 5), Ok((5, 8)));
        let stretch = Stretch::after(2, 5);
        assert_eq!(stretch.seen(EPOCH, 4, 5).stretch, Some(stretch));
        assert_eq!(stretch.seen(EPOCH, 5, 5).stretch, None);
    }

    #[test]
    fn a_backlog_begins_where_it_began_until_the_reader_has_everything() {
        let ended = Stretch::after(2, 5).seen(EPOCH, 5, 9);
        let next = Since::After(ended).stretch(EPOCH, 9, 0);
        let next = next.expect("a stretch");
        assert_eq!((next.backlog, next.since, next.until), (2, 5, 9));
        assert_eq!(Since::After(ended).bounds(), (5, i64::MAX));
        // What came within the backlog may have been shown, or not.
        for (create_seq, had, may_have_shown) in
            [(2, true, true), (4, false, true), (7, false, false)]
        {
            assert_eq!(next.had(create_seq), had);
            assert_eq!(next.may_have_shown(create_seq), may_have_shown);
        }
        let caught_up = Since::After(next.seen(EPOCH, 9, 9));
        let after = caught_up.stretch(EPOCH, 12, 0).expect("a stretch");
        assert_eq!(after, Stretch::after(9, 12));
    }

    #[test]
    fn what_cannot_be_honoured_is_said() {
        let elsewhere = Uuid::from_u128(2);
        let moved = after(6, None).stretch(elsewhere, 9, 0);
        assert_eq!(moved, Err(Broken::EpochChanged));
        assert_eq!(read(after(4, None), 9, 5), Err(Broken::TooOld));
        assert_eq!(read(after(4, Some((3, 8))), 9, 5), Err(Broken::TooOld));
        assert_eq!(read(after(10, None), 9, 5), Err(Broken::Ahead));
        assert_eq!(read(after(8, Some((0, 10))), 9, 5), Err(Broken::Ahead));
    }

    #[test]
    fn who_began_with_nothing_is_exempt_from_the_floor() {
        assert_eq!(read(after(1, Some((0, 8))), 9, 8), Ok((0, 8)));
        assert_eq!(read(after(1, Some((0, 7))), 9, 8), Err(Broken::TooOld));
        assert_eq!(read(after(0, None), 9, 8), Ok((0, 9)));
    }
}
