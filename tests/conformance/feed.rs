//! The feed: in order, complete, each change once, wherever a reader was cut off.

use domain::limits::{DAY_MS, TOMBSTONE_MS};
use domain::operation::{MarkDelivered, Trim};
use domain::{Action, MessageId, Msgbox};
use storage::{Bookmark, Broken, Change, Feed, FeedPart, Position, Since, Stretch};
use support::on_each_database;
use support::store::Backend;
use uuid::Uuid;

use super::bench::Bench;
use super::trimming::trimmed;
use super::words::{app, bytes, clear, delete, edit, from_user, mark, profile, remove, sent};

on_each_database![
    every_kind_of_change_arrives_once_and_in_order,
    an_entry_arrives_in_its_last_state_and_what_came_and_went_does_not,
    a_reader_who_is_cut_off_anywhere_misses_nothing_and_sees_nothing_twice,
    the_beginning_replays_all_that_is_stored,
    a_part_ends_at_its_bytes_and_after_one_change_at_least,
    forgotten_deletions_are_said_but_to_those_who_began_with_nothing,
    trimming_forgets_what_is_old_and_nothing_else,
    a_new_epoch_ends_all_cursors,
    a_database_that_is_another_one_begins_a_new_epoch,
    a_reader_ahead_of_the_database_is_told,
    a_delivery_is_no_change,
    a_message_that_comes_alone_is_known_as_it_would_be_read,
    what_an_earlier_life_remembered_is_not_shown,
];

const MUCH: FeedPart = FeedPart {
    changes_max: 500,
    bytes_max: 64 * 1024 * 1024,
};

/// A change in short: what happened to which message in which box.
type Short = (&'static str, Msgbox, MessageId);

fn short(change: &Change) -> Short {
    match change {
        Change::Received(item) => ("new", item.entry.msgbox, item.entry.message_id),
        Change::Updated(item) => ("changed", item.entry.msgbox, item.entry.message_id),
        Change::Deleted(msgbox, message_id) => ("gone", *msgbox, *message_id),
    }
}

fn shorts(feed: &Feed) -> Vec<Short> {
    feed.changes
        .iter()
        .map(|(_, change)| short(change))
        .collect()
}

async fn read_as(bench: &Bench, owner: &str, since: Since, part: FeedPart) -> Feed {
    let (app, owner) = (app(), profile(owner));
    let feed = bench.store.changes(&app, &owner, since, part).await;
    feed.expect("a feed")
}

async fn read(bench: &Bench, since: Since, part: FeedPart) -> Feed {
    read_as(bench, "bob", since, part).await
}

async fn now(bench: &Bench) -> Since {
    Since::After(read(bench, Since::Now, MUCH).await.reached)
}

async fn sends(bench: &Bench, count: usize) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(bench.send("ann", &["bob"]).await);
    }
    ids
}

async fn every_kind_of_change_arrives_once_and_in_order(bench: &Bench) {
    let old = sends(bench, 3).await;
    let start = now(bench).await;
    let new = bench.send("bob", &["bob"]).await;
    bench.done(mark("bob", &old[..1], true)).await;
    bench.done(edit("ann", old[1], "again")).await;
    bench.done(delete("bob", Msgbox::Inbox, &old[2..])).await;
    bench.done(remove(&[new])).await;
    let last = bench.send("ann", &["bob", "carol"]).await;
    let feed = read(bench, start, MUCH).await;
    let expected = [
        ("changed", Msgbox::Inbox, old[0]),
        ("changed", Msgbox::Inbox, old[1]),
        ("gone", Msgbox::Inbox, old[2]),
        ("new", Msgbox::Inbox, last),
    ];
    assert_eq!(shorts(&feed), expected);
    assert!(!feed.more && feed.broken.is_none());
    assert_eq!(feed.counts.inbox_total, 3);
    assert_eq!(feed.reached.position.seq, feed.head);
    let after = read(bench, Since::After(feed.reached), MUCH).await;
    assert!(after.changes.is_empty() && !after.more);
}

async fn an_entry_arrives_in_its_last_state_and_what_came_and_went_does_not(bench: &Bench) {
    let start = now(bench).await;
    let ids = sends(bench, 2).await;
    bench.done(mark("bob", &ids[..1], true)).await;
    bench.done(mark("bob", &ids[..1], false)).await;
    bench.done(delete("bob", Msgbox::Inbox, &ids[1..])).await;
    let feed = read(bench, start, MUCH).await;
    assert_eq!(shorts(&feed), [("new", Msgbox::Inbox, ids[0])]);
    let Change::Received(item) = &feed.changes[0].1 else {
        panic!("{feed:?}");
    };
    assert_eq!((item.entry.version, item.entry.read_ms), (3, None));
}

/// Changes of all kinds, some of them of entries that the reader never saw.
async fn storm(bench: &Bench) -> Since {
    let old = sends(bench, 6).await;
    let start = now(bench).await;
    let new = sends(bench, 6).await;
    bench.done(mark("bob", &old[..2], true)).await;
    bench.done(mark("bob", &new[..2], true)).await;
    bench.done(delete("bob", Msgbox::Inbox, &old[1..4])).await;
    bench.done(delete("bob", Msgbox::Inbox, &new[1..4])).await;
    bench.send("bob", &["bob", "ann"]).await;
    bench.done(edit("ann", new[5], "again")).await;
    start
}

/// All that a reader sees that takes so many changes at once.
async fn follow(bench: &Bench, mut since: Since, changes_max: u32) -> Vec<(Bookmark, Short)> {
    let part = FeedPart {
        changes_max,
        ..MUCH
    };
    let mut seen = Vec::new();
    loop {
        let feed = read(bench, since, part).await;
        assert_eq!(feed.broken, None);
        let changes = feed.changes.iter();
        seen.extend(changes.map(|(bookmark, change)| (*bookmark, short(change))));
        since = Since::After(feed.reached);
        if !feed.more {
            return seen;
        }
    }
}

async fn a_reader_who_is_cut_off_anywhere_misses_nothing_and_sees_nothing_twice(bench: &Bench) {
    let start = storm(bench).await;
    for since in [start, Since::Beginning] {
        let all = follow(bench, since, 500).await;
        assert!(all.is_sorted_by_key(|(bookmark, _)| bookmark.position.seq));
        for changes_max in 1..5 {
            assert_eq!(follow(bench, since, changes_max).await, all);
        }
        for cut in 0..all.len() {
            let rest = follow(bench, Since::After(all[cut].0), 500).await;
            assert_eq!(rest, all[cut + 1..]);
        }
    }
}

async fn the_beginning_replays_all_that_is_stored(bench: &Bench) {
    storm(bench).await;
    let feed = read(bench, Since::Beginning, MUCH).await;
    assert!(shorts(&feed).iter().all(|(what, ..)| *what == "new"));
    let counts = feed.counts;
    let stored = usize::try_from(counts.inbox_total + counts.sent_total).expect("few");
    assert_eq!(feed.changes.len(), stored);
    let nobody = read_as(bench, "zoe", Since::Beginning, MUCH).await;
    assert_eq!((nobody.changes, nobody.head), (Vec::new(), 0));
}

async fn a_part_ends_at_its_bytes_and_after_one_change_at_least(bench: &Bench) {
    for size in [500, 500, 2_000, 10] {
        let action = Action::Deliver(from_user("ann", &["bob"], bytes(size)));
        sent(bench.act(action).await);
    }
    let part = FeedPart {
        bytes_max: 1_000,
        ..MUCH
    };
    let mut since = Since::Beginning;
    for expected in [2, 1, 1] {
        let feed = read(bench, since, part).await;
        assert_eq!(feed.changes.len(), expected);
        since = Since::After(feed.reached);
    }
    assert_eq!(read(bench, since, part).await.changes.len(), 0);
}

async fn forgotten_deletions_are_said_but_to_those_who_began_with_nothing(bench: &Bench) {
    let ids = sends(bench, 4).await;
    let start = now(bench).await;
    bench.done(delete("bob", Msgbox::Inbox, &ids[..2])).await;
    let one = FeedPart {
        changes_max: 1,
        ..MUCH
    };
    let replay = read(bench, Since::Beginning, one).await;
    let trim = Trim {
        owner: profile("bob"),
        seq: i64::MAX,
    };
    bench.done(Action::Trim(trim)).await;
    let broken = read(bench, start, MUCH).await;
    assert_eq!(broken.broken, Some(Broken::TooOld));
    assert!(broken.changes.is_empty() && broken.reached.position.seq == broken.head);
    let rest = read(bench, Since::After(replay.reached), MUCH).await;
    assert_eq!(shorts(&rest), [("new", Msgbox::Inbox, ids[3])]);
    assert_eq!(read(bench, Since::Beginning, MUCH).await.changes.len(), 2);
}

async fn trimming_forgets_what_is_old_and_nothing_else(bench: &Bench) {
    let ids = sends(bench, 3).await;
    let start = now(bench).await;
    bench.done(delete("bob", Msgbox::Inbox, &ids[..1])).await;
    bench.done(clear("ann", Msgbox::Sent)).await;
    bench.clock().advance(TOMBSTONE_MS - DAY_MS);
    bench.done(delete("bob", Msgbox::Inbox, &ids[1..2])).await;
    let middle = now(bench).await;
    trimmed(&*bench.store).await;
    assert_eq!(read(bench, start, MUCH).await.broken, None);

    bench.clock().advance(2 * DAY_MS);
    bench.done(delete("bob", Msgbox::Inbox, &ids[2..])).await;
    trimmed(&*bench.store).await;
    assert_eq!(read(bench, start, MUCH).await.broken, Some(Broken::TooOld));
    let feed = read(bench, middle, MUCH).await;
    assert_eq!(shorts(&feed), [("gone", Msgbox::Inbox, ids[2])]);
    let raw = bench.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM msgbox_deleted").await, 2);
}

async fn a_new_epoch_ends_all_cursors(bench: &Bench) {
    let replica = bench.replica().await;
    let start = now(bench).await;
    sends(bench, 1).await;
    replica.new_epoch().await.expect("a new epoch");
    let feed = read(bench, start, MUCH).await;
    assert_eq!(feed.broken, Some(Broken::EpochChanged));
    let again = read(bench, Since::After(feed.reached), MUCH).await;
    assert_eq!(again.broken, None);
    replica.close().await;
}

/// A file says nothing about itself: there it is done by hand.
async fn a_database_that_is_another_one_begins_a_new_epoch(bench: &Bench) {
    let start = now(bench).await;
    let raw = bench.raw().await;
    raw.run("UPDATE server SET identity = 'another' WHERE identity IS NOT NULL")
        .await;
    bench.store.heads(&[]).await.expect("heads");
    let expected = match bench.test.backend() {
        Backend::Sqlite => None,
        Backend::Postgres => Some(Broken::EpochChanged),
    };
    assert_eq!(read(bench, start, MUCH).await.broken, expected);
    let now = now(bench).await;
    bench.store.heads(&[]).await.expect("heads");
    assert_eq!(read(bench, now, MUCH).await.broken, None);
}

async fn a_reader_ahead_of_the_database_is_told(bench: &Bench) {
    sends(bench, 1).await;
    let mut bookmark = read(bench, Since::Now, MUCH).await.reached;
    bookmark.position.seq += 1;
    let feed = read(bench, Since::After(bookmark), MUCH).await;
    assert_eq!(feed.broken, Some(Broken::Ahead));
}

async fn a_delivery_is_no_change(bench: &Bench) {
    let ids = sends(bench, 2).await;
    let start = now(bench).await;
    let before = read(bench, Since::Beginning, MUCH).await;
    let delivered = MarkDelivered {
        owner: profile("bob"),
        message_ids: ids.clone(),
    };
    bench.done(Action::MarkDelivered(delivered)).await;
    assert_eq!(read(bench, start, MUCH).await.changes, []);
    let after = read(bench, Since::Beginning, MUCH).await;
    assert_eq!((after.head, shorts(&after)), (before.head, shorts(&before)));
    for (_, change) in &after.changes {
        let Change::Received(item) = change else {
            panic!("{change:?}");
        };
        assert_eq!(
            (item.entry.version, item.entry.delivered_ms.is_some()),
            (1, true)
        );
    }
    let heads = bench.store.heads(&[after.mailbox]).await.expect("heads");
    assert_eq!(heads[0].head.seq, after.head);
}

/// What a reader has seen who has not seen exactly that.
fn others(seen: Bookmark) -> [Bookmark; 3] {
    let position = seen.position;
    [
        Position {
            epoch: Uuid::from_u128(1),
            ..position
        }
        .into(),
        Position {
            seq: position.seq - 1,
            ..position
        }
        .into(),
        Bookmark {
            stretch: Some(Stretch::after(position.seq - 1, position.seq + 1)),
            ..seen
        },
    ]
}

async fn a_message_that_comes_alone_is_known_as_it_would_be_read(bench: &Bench) {
    let start = bench.send("ann", &["bob"]).await;
    let beginning = read(bench, Since::Now, MUCH).await;
    let (mailbox, mut seen) = (beginning.mailbox, beginning.reached);
    let mut subscription = bench.test.hub.subscribe(mailbox, 1).expect("a place");
    assert_eq!(subscription.arrived(&seen), None);
    for step in 0..9 {
        let alone = match step {
            0 => {
                bench.send("ann", &["bob", "carol"]).await;
                true
            }
            1 => {
                bench.send("bob", &["ann"]).await;
                true
            }
            2 => {
                bench.announce(&["bob"]).await;
                true
            }
            // It is in both boxes.
            3 => {
                bench.send("bob", &["bob"]).await;
                false
            }
            4 => {
                bench.done(mark("bob", &[start], true)).await;
                false
            }
            5 => {
                sends(bench, 2).await;
                false
            }
            6 => {
                bench.send("ann", &["bob"]).await;
                bench.done(mark("bob", &[start], false)).await;
                false
            }
            7 => {
                let short = from_user("ann", &["bob"], bytes(1));
                let short = short.with_lifetime_ms(Some(59_999));
                bench.done(Action::Deliver(short)).await;
                false
            }
            _ => {
                let large = from_user("ann", &["bob"], bytes(4097));
                bench.done(Action::Deliver(large)).await;
                false
            }
        };
        let known = subscription.arrived(&seen);
        let feed = read(bench, Since::After(seen), MUCH).await;
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

async fn what_an_earlier_life_remembered_is_not_shown(bench: &Bench) {
    let id = bench.send("ann", &["bob"]).await;
    let raw = bench.raw().await;
    raw.run("UPDATE message SET sender_name = 'another'").await;
    let names = async || {
        let feed = read(bench, Since::Beginning, MUCH).await;
        let Change::Received(told) = &feed.changes[0].1 else {
            panic!("{feed:?}");
        };
        let read = bench.entries("bob", Msgbox::Inbox, &[id], 1).await;
        [&told.message, &read.found[0].message].map(|message| message.envelope.from.name.clone())
    };
    assert_eq!(names().await, ["ANN", "ANN"], "they are remembered");
    bench.store.new_epoch().await.expect("a new epoch");
    assert_eq!(names().await, ["another", "another"]);
}
