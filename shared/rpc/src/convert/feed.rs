//! The feed in responses: frames with the cursors that resume after them.

use domain::mailbox::Counts;
use domain::{AppId, Msgbox, ProfileId, Violations};
use proto::v1;
use proto::v1::event::Frame;
use storage::{Error, FeedChange, FeedPage, FeedPosition, FeedStart, Item, ResyncReason};

use super::view::View;
use super::{counts, cursor, entry, msgbox, size};
use crate::RpcError;

/// Cursor of the beginning of the feed.
const BEGINNING: &str = "0";

/// Parses the cursor of a request.
///
/// # Errors
/// [`RpcError::CursorInvalid`] if it was altered, or belongs to another mailbox.
pub fn since(text: &str, app: &AppId, owner: &ProfileId) -> Result<FeedStart, RpcError> {
    match text {
        "" => Ok(FeedStart::Head),
        BEGINNING => Ok(FeedStart::Beginning),
        text => cursor::parse(text, app, owner)
            .map(FeedStart::After)
            .ok_or(RpcError::CursorInvalid),
    }
}

/// Filter of the feed: boxes, and the view of their messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedFilter {
    /// The only box; none for both.
    pub only: Option<Msgbox>,
    view: View,
}

impl FeedFilter {
    /// Parses the names of boxes, none for all, and the number of a view.
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

    /// Returns true if a change passes the filter.
    #[must_use]
    pub fn shows(self, change: &FeedChange) -> bool {
        let msgbox = match change {
            FeedChange::Received(item) | FeedChange::Updated(item) => item.entry.msgbox,
            FeedChange::Deleted(msgbox, _) => *msgbox,
        };
        self.only.is_none_or(|only| only == msgbox)
    }

    /// Returns the frame of a change; none if the filter excludes it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a message's content cannot be decoded.
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

/// Returns an event: a frame with the cursor after it.
#[must_use]
pub fn event(frame: Frame, seen: FeedPosition, app: &AppId, owner: &ProfileId) -> v1::Event {
    v1::Event {
        cursor: cursor::show(seen, app, owner),
        frame: Some(frame),
    }
}

/// Returns the frame for a cursor that cannot be resumed from, with the counts of the boxes.
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

/// Returns the frame with the counts of the boxes.
#[must_use]
pub fn counted(counted: &Counts) -> Frame {
    Frame::Counts(v1::BoxCounts {
        boxes: counts::boxes(counted),
    })
}

/// Size of a change in memory before it becomes a frame, in bytes, rounded up.
#[must_use]
pub fn held_bytes(change: &FeedChange) -> usize {
    match change {
        FeedChange::Received(item) | FeedChange::Updated(item) => {
            size_of::<Item>() + size::held_by_message(&item.message)
        }
        FeedChange::Deleted(..) => 0,
    }
}

/// Truncates a part of the feed to `bytes_max` bytes in memory, but to one change at least.
pub fn fit(feed: &mut FeedPage, bytes_max: usize) {
    let others = size::fit(&mut feed.changes, bytes_max, |(_, change)| {
        held_bytes(change)
    });
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
    fn a_filter_passes_the_named_boxes_or_all() {
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
