//! The feed of a mailbox: what changed in it after a place, in the order in which it did.
//!
//! It is read in stretches. A stretch is what lies between a reader and the head as the
//! reader first saw it; where a stretch is longer than one read, its ends go with the
//! reader from read to read. So it stays known what the reader had before the stretch began:
//! an entry that came within it is new, whenever it changed last, and one that came and went
//! within it is not mentioned.

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
    /// The stretch that it is in, unless it has seen all of it.
    pub stretch: Option<Stretch>,
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
                let until = bookmark.stretch.map(|stretch| stretch.until);
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
            Self::Now => {
                return Ok(Stretch {
                    since: head,
                    until: head,
                });
            }
            Self::Beginning => {
                return Ok(Stretch {
                    since: 0,
                    until: head,
                });
            }
            Self::After(bookmark) => bookmark,
        };
        let seq = bookmark.position.seq;
        let stretch = bookmark.stretch.unwrap_or(Stretch {
            since: seq,
            until: head,
        });
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
    /// Whether a reader had the entry that came with that number before the stretch began.
    #[must_use]
    pub const fn had(&self, create_seq: i64) -> bool {
        create_seq <= self.since
    }

    /// What a reader has seen that has read this stretch up to a change.
    #[must_use]
    pub const fn seen(self, epoch: Uuid, seq: i64) -> Bookmark {
        let stretch = if seq < self.until { Some(self) } else { None };
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
            stretch: stretch.map(|(since, until)| Stretch { since, until }),
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
        let stretch = Stretch { since: 2, until: 5 };
        assert_eq!(stretch.seen(EPOCH, 4).stretch, Some(stretch));
        assert_eq!(stretch.seen(EPOCH, 5).stretch, None);
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
