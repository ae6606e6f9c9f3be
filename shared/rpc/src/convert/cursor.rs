//! Cursors: positions in the feed of a mailbox, in requests and responses.

use domain::{AppId, ProfileId};
use proto::internal::v1::{FeedCursor, FeedStretch};
use storage::{BacklogWindow, FeedOffset, FeedPosition};
use uuid::Uuid;

use super::token::Binding;

/// Group of methods that accept cursors: all methods of the feed.
const METHOD: &str = "feed";

/// Returns the cursor of a position.
#[must_use]
pub fn show(position: impl Into<FeedPosition>, app: &AppId, owner: &ProfileId) -> String {
    let FeedPosition { offset, window } = position.into();
    binding(app, owner).seal(&FeedCursor {
        epoch: offset.epoch.as_bytes().to_vec(),
        seq: offset.seq,
        stretch: window.map(|window| FeedStretch {
            since: window.after_seq,
            until: window.until_seq,
            backlog: Some(window.backlog_seq).filter(|seq| *seq != window.after_seq),
        }),
    })
}

/// Returns the position of a cursor; none if it was altered or belongs to another mailbox.
#[must_use]
pub fn parse(cursor: &str, app: &AppId, owner: &ProfileId) -> Option<FeedPosition> {
    let state: FeedCursor = binding(app, owner).open(cursor)?;
    let offset = FeedOffset {
        epoch: Uuid::from_slice(&state.epoch).ok()?,
        seq: state.seq,
    };
    let window = state.stretch.map(|stretch| BacklogWindow {
        backlog_seq: stretch.backlog.unwrap_or(stretch.since),
        after_seq: stretch.since,
        until_seq: stretch.until,
    });
    Some(FeedPosition { offset, window })
}

const fn binding<'a>(app: &'a AppId, owner: &'a ProfileId) -> Binding<'a> {
    Binding {
        app,
        owner: Some(owner),
        method: METHOD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::testing::{app, profile};

    #[test]
    fn a_cursor_is_bound_to_its_mailbox() {
        let offset = FeedOffset {
            epoch: Uuid::from_u128(5),
            seq: i64::MAX,
        };
        let within = |window| FeedPosition {
            offset,
            window: Some(window),
        };
        let first = BacklogWindow::first(3, 9);
        let later = BacklogWindow {
            backlog_seq: 1,
            ..first
        };
        for position in [within(first), within(later), offset.into()] {
            let cursor = show(position, &app("a"), &profile("alice"));
            let parsed = parse(&cursor, &app("a"), &profile("alice"));
            assert_eq!(parsed, Some(position));
        }
        let cursor = show(offset, &app("a"), &profile("alice"));
        assert_eq!(parse(&cursor, &app("a"), &profile("bob")), None);
        assert_eq!(parse(&cursor, &app("b"), &profile("alice")), None);
        assert_eq!(parse("0", &app("a"), &profile("alice")), None);
    }
}
