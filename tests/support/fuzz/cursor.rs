//! Cursors of the feed: any text, and any message with a check sum that is right.

use domain::{AppId, ProfileId};
use prost::Message as _;
use proto::internal::v1::FeedCursor;
use proto::internal::v1::feed_cursor::Backlog;
use rpc::convert::cursor;
use rpc::convert::token::Binding;

use super::{FuzzTarget, formed};
use crate::issuer::APP;

pub const TARGET: FuzzTarget = FuzzTarget {
    name: "cursor",
    run,
    seeds,
};

fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else {
        return false;
    };
    let (app, owner) = caller();
    let text = if form % 2 == 0 {
        String::from_utf8_lossy(rest).into_owned()
    } else {
        let Ok(state) = FeedCursor::decode(rest) else {
            return false;
        };
        binding(&app, &owner).seal(&state)
    };
    let Some(position) = cursor::parse(&text, &app, &owner) else {
        return false;
    };
    let again = cursor::show(position, &app, &owner);
    assert_eq!(cursor::parse(&again, &app, &owner), Some(position));
    let other = ProfileId::parse("bob").expect("a profile");
    assert_eq!(cursor::parse(&text, &app, &other), None);
    true
}

fn seeds() -> Vec<Vec<u8>> {
    let (app, owner) = caller();
    let state = FeedCursor {
        epoch: vec![7; 16],
        seq: 42,
        backlog: Some(Backlog::Since(7)),
    };
    vec![
        formed(0, binding(&app, &owner).seal(&state)),
        formed(1, state.encode_to_vec()),
    ]
}

fn caller() -> (AppId, ProfileId) {
    let app = AppId::parse(APP).expect("an app");
    (app, ProfileId::parse("alice").expect("a profile"))
}

const fn binding<'a>(app: &'a AppId, owner: &'a ProfileId) -> Binding<'a> {
    Binding {
        app,
        owner: Some(owner),
        method: "feed",
    }
}
