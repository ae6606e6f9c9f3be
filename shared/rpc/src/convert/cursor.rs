//! Cursors: positions in the feed of a mailbox, as callers carry them.

use domain::{AppId, ProfileId};
use proto::internal::v1::{FeedCursor, FeedStretch};
use storage::{Bookmark, Position, Stretch};
use uuid::Uuid;

use super::token::Binding;

/// A cursor of one method is good for all that follow the feed.
const METHOD: &str = "feed";

/// The cursor of a position, or of what a reader has seen.
#[must_use]
pub fn show(bookmark: impl Into<Bookmark>, app: &AppId, owner: &ProfileId) -> String {
    let Bookmark { position, stretch } = bookmark.into();
    binding(app, owner).seal(&FeedCursor {
        epoch: position.epoch.as_bytes().to_vec(),
        seq: position.seq,
        stretch: stretch.map(|stretch| FeedStretch {
            since: stretch.since,
            until: stretch.until,
            backlog: Some(stretch.backlog).filter(|backlog| *backlog != stretch.since),
        }),
    })
}

/// What the reader of a cursor has seen. None if it was altered, or is of another mailbox.
#[must_use]
pub fn parse(cursor: &str, app: &AppId, owner: &ProfileId) -> Option<Bookmark> {
    let state: FeedCursor = binding(app, owner).open(cursor)?;
    let position = Position {
        epoch: Uuid::from_slice(&state.epoch).ok()?,
        seq: state.seq,
    };
    let stretch = state.stretch.map(|stretch| Stretch {
        backlog: stretch.backlog.unwrap_or(stretch.since),
        since: stretch.since,
        until: stretch.until,
    });
    Some(Bookmark { position, stretch })
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
    fn a_cursor_is_of_one_mailbox() {
        let position = Position {
            epoch: Uuid::from_u128(5),
            seq: i64::MAX,
        };
        let within = |stretch| Bookmark {
            position,
            stretch: Some(stretch),
        };
        let first = Stretch::after(3, 9);
        let later = Stretch {
            backlog: 1,
            ..first
        };
        for bookmark in [within(first), within(later), position.into()] {
            let cursor = show(bookmark, &app("a"), &profile("alice"));
            let parsed = parse(&cursor, &app("a"), &profile("alice"));
            assert_eq!(parsed, Some(bookmark));
        }
        let cursor = show(position, &app("a"), &profile("alice"));
        assert_eq!(parse(&cursor, &app("a"), &profile("bob")), None);
        assert_eq!(parse(&cursor, &app("b"), &profile("alice")), None);
        assert_eq!(parse("0", &app("a"), &profile("alice")), None);
    }
}
