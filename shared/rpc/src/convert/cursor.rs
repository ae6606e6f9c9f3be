//! Cursors: positions in the feed of a mailbox, as callers carry them.

use domain::{AppId, ProfileId};
use proto::internal::v1::FeedCursor;
use storage::Position;
use uuid::Uuid;

use super::token::Binding;

/// A cursor of one method is good for all that follow the feed.
const METHOD: &str = "feed";

/// The cursor of a position.
#[must_use]
pub fn show(position: Position, app: &AppId, owner: &ProfileId) -> String {
    binding(app, owner).seal(&FeedCursor {
        epoch: position.epoch.as_bytes().to_vec(),
        seq: position.seq,
    })
}

/// The position of a cursor. None if it was altered, or is of another mailbox.
#[must_use]
pub fn parse(cursor: &str, app: &AppId, owner: &ProfileId) -> Option<Position> {
    let state: FeedCursor = binding(app, owner).open(cursor)?;
    Some(Position {
        epoch: Uuid::from_slice(&state.epoch).ok()?,
        seq: state.seq,
    })
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
        let cursor = show(position, &app("a"), &profile("alice"));
        assert_eq!(parse(&cursor, &app("a"), &profile("alice")), Some(position));
        assert_eq!(parse(&cursor, &app("a"), &profile("bob")), None);
        assert_eq!(parse(&cursor, &app("b"), &profile("alice")), None);
        assert_eq!(parse("0", &app("a"), &profile("alice")), None);
    }
}
