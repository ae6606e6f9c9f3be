//! Arrivals in memory: streams at the head of the feed take them without a read.

use domain::{Action, Msgbox};
use storage::{Backlog, FeedChange, FeedOffset, FeedPosition, FeedStart};
use support::on_each_database;
use uuid::Uuid;

use super::{MUCH, read, sends};
use crate::conformance::builders::{bytes, from_user, lasting, mark};
use crate::conformance::fixture::StoreFixture;

on_each_database![
    an_arrival_from_memory_equals_the_feed_from_the_database,
    a_new_epoch_hides_cached_arrivals,
];

/// Positions just before and after a position.
fn others(seen: FeedPosition) -> [FeedPosition; 3] {
    let offset = seen.offset;
    [
        FeedOffset {
            epoch: Uuid::from_u128(1),
            ..offset
        }
        .into(),
        FeedOffset {
            seq: offset.seq - 1,
            ..offset
        }
        .into(),
        FeedPosition {
            backlog: Some(Backlog::Since(offset.seq - 1)),
            ..seen
        },
    ]
}

async fn an_arrival_from_memory_equals_the_feed_from_the_database(fixture: &StoreFixture) {
    let start = fixture.send("ann", &["bob"]).await;
    let beginning = read(fixture, FeedStart::Head, MUCH).await;
    let (mailbox, mut seen) = (beginning.mailbox, beginning.reached);
    let mut subscription = fixture.test.hub.subscribe(mailbox, 1).expect("a place");
    assert_eq!(subscription.arrived(&seen), None);
    for step in 0..9 {
        let alone = match step {
            0 => {
                fixture.send("ann", &["bob", "carol"]).await;
                true
            }
            1 => {
                fixture.send("bob", &["ann"]).await;
                true
            }
            2 => {
                fixture.announce(&["bob"]).await;
                true
            }
            // It is in both boxes.
            3 => {
                fixture.send("bob", &["bob"]).await;
                false
            }
            4 => {
                fixture.done(mark("bob", &[start], true)).await;
                false
            }
            5 => {
                sends(fixture, 2).await;
                false
            }
            6 => {
                fixture.send("ann", &["bob"]).await;
                fixture.done(mark("bob", &[start], false)).await;
                false
            }
            7 => {
                let short = from_user("ann", &["bob"], bytes(1));
                let short = lasting(short, 59_999);
                fixture.done(Action::SendMessage(short)).await;
                false
            }
            _ => {
                let large = from_user("ann", &["bob"], bytes(4097));
                fixture.done(Action::SendMessage(large)).await;
                false
            }
        };
        let known = subscription.arrived(&seen);
        let feed = read(fixture, FeedStart::After(seen), MUCH).await;
        assert_eq!(known.is_some(), alone, "{step}");
        if let Some(known) = known {
            assert_eq!(known, feed, "{step}");
            for not_all in others(seen) {
                assert_eq!(subscription.arrived(&not_all), None, "{not_all:?}");
            }
        }
        seen = feed.reached;
        assert_eq!(subscription.arrived(&seen), None, "{step}");
    }
}

async fn a_new_epoch_hides_cached_arrivals(fixture: &StoreFixture) {
    let id = fixture.send("ann", &["bob"]).await;
    let raw = fixture.raw().await;
    raw.run("UPDATE message SET sender_name = 'another'").await;
    let names = async || {
        let feed = read(fixture, FeedStart::Beginning, MUCH).await;
        let FeedChange::Received(told) = &feed.changes[0].1 else {
            panic!("{feed:?}");
        };
        let read = fixture.entries("bob", Msgbox::Inbox, &[id], 1).await;
        [&told.message, &read.found[0].message].map(|message| message.envelope.sender.name.clone())
    };
    assert_eq!(names().await, ["ANN", "ANN"], "they are remembered");
    fixture.store.new_epoch().await.expect("a new epoch");
    assert_eq!(names().await, ["another", "another"]);
}
