//! The feed in answers: frames, each with the cursor that resumes after it.

use domain::limits::PAGE_BYTES_MAX;
use domain::mailbox::Counts;
use domain::{AppId, Msgbox, ProfileId, Violations};
use proto::v1;
use proto::v1::event::Frame;
use storage::{Error, FeedChange, FeedPage, FeedPosition, FeedStart, Item, ResyncReason};

use super::view::View;
use super::{counts, cursor, entry, msgbox, size};
use crate::RpcError;

/// The cursor before everything that is stored.
const BEGINNING: &str = "0";

/// Bytes of a deletion in an answer, rather more than less.
const DELETED_BYTES: usize = 256;

const _: () = assert!(DELETED_BYTES < PAGE_BYTES_MAX);

/// Where a caller's cursor says to go on.
///
/// # Errors
/// [`RpcError::CursorInvalid`] if it was altered, or is of another mailbox.
pub fn since(text: &str, app: &AppId, owner: &ProfileId) -> Result<FeedStart, RpcError> {
    match text {
        "" => Ok(FeedStart::Head),
        BEGINNING => Ok(FeedStart::Beginning),
        text => cursor::parse(text, app, owner)
            .map(FeedStart::After)
            .ok_or(RpcError::CursorInvalid),
    }
}

/// What a caller wants to see of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedFilter {
    /// One box alone; none: both.
    only: Option<Msgbox>,
    view: View,
}

impl FeedFilter {
    /// The boxes of those names, all if there are none, in a view.
    pub fn parse(msgboxes: &[String], view: i32, violations: &mut Violations) -> Self {
        let boxes: Vec<Msgbox> = msgboxes
            .iter()
            .enumerate()
            .filter_map(|(index, name)| {
                msgbox::parse(name, &format!("msgboxes[{index}]"), violations)
            })
            .collect();
        let (first, others) = match boxes.split_first() {
            Some((first, others)) => (Some(*first), others),
            None => (None, &[][..]),
        };
        let is_one = others.iter().all(|other| Some(*other) == first);
        Self {
            only: first.filter(|_| is_one),
            view: View::parse(view, "view", violations),
        }
    }

    /// Whether a change is to be seen.
    #[must_use]
    pub fn shows(self, change: &FeedChange) -> bool {
        let msgbox = match change {
            FeedChange::Received(item) | FeedChange::Updated(item) => item.entry.msgbox,
            FeedChange::Deleted(msgbox, _) => *msgbox,
        };
        self.only.is_none_or(|only| only == msgbox)
    }

    /// A change as a frame; none if it is not to be seen.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a message's content is none.
    pub fn frame(self, change: FeedChange) -> Result<Option<Frame>, Error> {
        if !self.shows(&change) {
            return Ok(None);
        }
        Ok(Some(match change {
            FeedChange::Received(item) => Frame::MessageReceived(entry::show(&item, self.view)?),
            FeedChange::Updated(item) => Frame::MessageUpdated(entry::show(&item, self.view)?),
            FeedChange::Deleted(msgbox, message_id) => Frame::MessageDeleted(v1::MessageDeleted {
                msgbox: msgbox.name().to_owned(),
                message_id: message_id.to_string(),
            }),
        }))
    }
}

/// A frame with the cursor of what its reader has seen.
#[must_use]
pub fn event(frame: Frame, seen: FeedPosition, app: &AppId, owner: &ProfileId) -> v1::Event {
    v1::Event {
        cursor: cursor::show(seen, app, owner),
        frame: Some(frame),
    }
}

/// That a cursor cannot be honoured, and what the boxes hold.
#[must_use]
pub fn resync(broken: ResyncReason, counted: &Counts) -> Frame {
    let reason = match broken {
        ResyncReason::EpochChanged => v1::ResyncReason::EpochChanged,
        ResyncReason::TooOld => v1::ResyncReason::CursorTooOld,
        ResyncReason::Ahead => v1::ResyncReason::CursorAhead,
    };
    Frame::Resync(v1::Resync {
        reason: reason.into(),
        boxes: counts::boxes(counted),
    })
}

/// What the boxes hold.
#[must_use]
pub fn counted(counted: &Counts) -> Frame {
    Frame::Counts(v1::BoxCounts {
        boxes: counts::boxes(counted),
    })
}

/// Bytes of a change in an answer, rather more than less.
#[must_use]
pub fn answer_bytes(change: &FeedChange) -> usize {
    match change {
        FeedChange::Received(item) | FeedChange::Updated(item) => size::of_message(&item.message),
        FeedChange::Deleted(..) => DELETED_BYTES,
    }
}

/// Bytes that a change holds in memory until it becomes a frame, rather more than less.
#[must_use]
pub fn held_bytes(change: &FeedChange) -> usize {
    match change {
        FeedChange::Received(item) | FeedChange::Updated(item) => {
            size_of::<Item>() + size::held_by_message(&item.message)
        }
        FeedChange::Deleted(..) => 0,
    }
}

/// Ends a part of the feed early, at `bytes_max` bytes as `bytes` counts them, but after one
/// change at least.
pub fn fit(feed: &mut FeedPage, bytes_max: usize, bytes: impl Fn(&FeedChange) -> usize) {
    let others = size::fit(&mut feed.changes, bytes_max, |(_, change)| bytes(change));
    if let (false, Some((seen, _))) = (others.is_empty(), feed.changes.last()) {
        feed.more = true;
        feed.reached = *seen;
    }
}

#[cfg(test)]
mod tests {
    use domain::MessageId;
    use uuid::Uuid;

    use super::*;
    use crate::convert::testing::{app, profile};

    fn filter(msgboxes: &[&str]) -> (FeedFilter, usize) {
        let mut violations = Violations::none();
        let names: Vec<String> = msgboxes.iter().map(|&name| name.to_owned()).collect();
        let filter = FeedFilter::parse(&names, 0, &mut violations);
        (filter, violations.as_slice().len())
    }

    #[test]
    fn a_lens_shows_the_named_boxes_or_all() {
        let gone = |msgbox| FeedChange::Deleted(msgbox, MessageId::new(Uuid::nil()));
        for (names, inbox, sent) in [
            (&[][..], true, true),
            (&["inbox"], true, false),
            (&["sent", "sent"], false, true),
            (&["inbox", "sent"], true, true),
        ] {
            let (filter, violations) = filter(names);
            assert_eq!(violations, 0);
            assert_eq!(filter.shows(&gone(Msgbox::Inbox)), inbox, "{names:?}");
            assert_eq!(filter.shows(&gone(Msgbox::Sent)), sent, "{names:?}");
        }
        assert_eq!(filter(&["inbox", "drafts", ""]).1, 2);
    }

    #[test]
    fn a_cursor_is_empty_zero_or_sealed() {
        let since = |text| since(text, &app("a"), &profile("ann")).ok();
        assert_eq!(since(""), Some(FeedStart::Head));
        assert_eq!(since("0"), Some(FeedStart::Beginning));
        assert_eq!(since("00"), None);
    }
}
