//! Cursors: positions in the feed of a mailbox, in requests and responses.

use domain::{AppId, ProfileId};
use proto::internal::v1::FeedCursor;
use proto::internal::v1::feed_cursor::Backlog as BacklogState;
use storage::{Backlog, FeedOffset, FeedPosition};
use uuid::Uuid;

use super::token::Binding;

/// Group of methods that accept cursors: all methods of the feed.
const METHOD: &str = "feed";

/// Returns the cursor of a position.
#[must_use]
pub fn show(position: impl Into<FeedPosition>, app: &AppId, owner: &ProfileId) -> String {
    let FeedPosition { offset, backlog } = position.into();
    binding(app, owner).seal(&FeedCursor {
        epoch: offset.epoch.as_bytes().to_vec(),
        seq: offset.seq,
        backlog: backlog.map(|backlog| match backlog {
            Backlog::Since(seq) => BacklogState::Since(seq),
            Backlog::Replay { until_seq } => BacklogState::ReplayUntil(until_seq),
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
    let backlog = state.backlog.map(|backlog| match backlog {
        BacklogState::Since(seq) => Backlog::Since(seq),
        BacklogState::ReplayUntil(until_seq) => Backlog::Replay { until_seq },
    });
    Some(FeedPosition { offset, backlog })
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
        let within = |backlog| FeedPosition {
            offset,
            backlog: Some(backlog),
        };
        let replay = Backlog::Replay { until_seq: 9 };
        for position in [within(Backlog::Since(0)), within(replay), offset.into()] {
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
