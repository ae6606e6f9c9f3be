//! The feed: in order, complete, each change once, wherever a reader was cut off.

use domain::limits::{DAY_MS, TOMBSTONE_MS};
use domain::operation::{MarkMessagesDelivered, TrimTombstones};
use domain::{Action, MessageId, Msgbox};
use storage::{
    BacklogWindow, FeedChange, FeedLimits, FeedOffset, FeedPage, FeedPosition, FeedStart,
    ResyncReason,
};
use support::on_each_database;
use support::store::DatabaseKind;
use uuid::Uuid;

use super::builders::{
    app, bytes, clear, delete, edit, from_user, lasting, mark, profile, remove, sent,
};
use super::fixture::StoreFixture;
use super::trimming::trimmed;

on_each_database![
    every_kind_of_change_arrives_once_and_in_order,
    the_feed_shows_the_last_state_of_entries_that_exist,
    a_feed_resumed_at_any_point_neither_loses_nor_repeats_changes,
    cursor_0_replays_all_stored_entries,
    a_part_of_the_feed_is_cut_by_bytes_and_has_at_least_one_change,
    trimmed_deletions_yield_a_resync_except_from_an_empty_cursor,
    trimming_removes_old_deletions_only,
    a_new_epoch_ends_all_cursors,
    a_replaced_database_starts_a_new_epoch,
    a_cursor_ahead_of_the_database_yields_a_resync,
    a_delivery_is_no_change,
    an_arrival_from_memory_equals_the_feed_from_the_database,
    a_new_epoch_hides_cached_arrivals,
];

const MUCH: FeedLimits = FeedLimits {
    changes_max: 500,
    bytes_max: 64 * 1024 * 1024,
};

/// A change in short: what happened to which message in which box.
type ChangeSummary = (&'static str, Msgbox, MessageId);

fn short(change: &FeedChange) -> ChangeSummary {
    match change {
        FeedChange::Received(item) => ("new", item.entry.msgbox, item.entry.message_id),
        FeedChange::Updated(item) => ("changed", item.entry.msgbox, item.entry.message_id),
        FeedChange::Deleted(msgbox, message_id) => ("gone", *msgbox, *message_id),
    }
}

fn shorts(feed: &FeedPage) -> Vec<ChangeSummary> {
    feed.changes
        .iter()
        .map(|(_, change)| short(change))
        .collect()
}

async fn read_as(
    fixture: &StoreFixture,
    owner: &str,
    since: FeedStart,
    part: FeedLimits,
) -> FeedPage {
    let (app, owner) = (app(), profile(owner));
    let feed = fixture.store.changes(&app, &owner, since, part).await;
    feed.expect("a feed")
}

async fn read(fixture: &StoreFixture, since: FeedStart, part: FeedLimits) -> FeedPage {
    read_as(fixture, "bob", since, part).await
}

async fn now(fixture: &StoreFixture) -> FeedStart {
    FeedStart::After(read(fixture, FeedStart::Head, MUCH).await.reached)
}

async fn sends(fixture: &StoreFixture, count: usize) -> Vec<MessageId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(fixture.send("ann", &["bob"]).await);
    }
    ids
}

async fn every_kind_of_change_arrives_once_and_in_order(fixture: &StoreFixture) {
    let old = sends(fixture, 3).await;
    let start = now(fixture).await;
    let new = fixture.send("bob", &["bob"]).await;
    fixture.done(mark("bob", &old[..1], true)).await;
    fixture.done(edit("ann", old[1], "again")).await;
    fixture.done(delete("bob", Msgbox::Inbox, &old[2..])).await;
    fixture.done(remove(&[new])).await;
    let last = fixture.send("ann", &["bob", "carol"]).await;
    let feed = read(fixture, start, MUCH).await;
    let expected = [
        ("changed", Msgbox::Inbox, old[0]),
        ("changed", Msgbox::Inbox, old[1]),
        ("gone", Msgbox::Inbox, old[2]),
        ("new", Msgbox::Inbox, last),
    ];
    assert_eq!(shorts(&feed), expected);
    assert!(!feed.more && feed.resync.is_none());
    assert_eq!(feed.counts.inbox_total, 3);
    assert_eq!(feed.reached.offset.seq, feed.head);
    let after = read(fixture, FeedStart::After(feed.reached), MUCH).await;
    assert!(after.changes.is_empty() && !after.more);
}

async fn the_feed_shows_the_last_state_of_entries_that_exist(fixture: &StoreFixture) {
    let start = now(fixture).await;
    let ids = sends(fixture, 2).await;
    fixture.done(mark("bob", &ids[..1], true)).await;
    fixture.done(mark("bob", &ids[..1], false)).await;
    fixture.done(delete("bob", Msgbox::Inbox, &ids[1..])).await;
    let feed = read(fixture, start, MUCH).await;
    assert_eq!(shorts(&feed), [("new", Msgbox::Inbox, ids[0])]);
    let FeedChange::Received(item) = &feed.changes[0].1 else {
        panic!("{feed:?}");
    };
    assert_eq!((item.entry.version, item.entry.read_ms), (3, None));
}

/// Changes of all kinds, some of them of entries that the reader never saw.
async fn storm(fixture: &StoreFixture) -> FeedStart {
    let old = sends(fixture, 6).await;
    let start = now(fixture).await;
    let new = sends(fixture, 6).await;
    fixture.done(mark("bob", &old[..2], true)).await;
    fixture.done(mark("bob", &new[..2], true)).await;
    fixture.done(delete("bob", Msgbox::Inbox, &old[1..4])).await;
    fixture.done(delete("bob", Msgbox::Inbox, &new[1..4])).await;
    fixture.send("bob", &["bob", "ann"]).await;
    fixture.done(edit("ann", new[5], "again")).await;
    start
}

/// All changes that a reader sees in parts of `limit`.
async fn follow(
    fixture: &StoreFixture,
    mut since: FeedStart,
    changes_max: u32,
) -> Vec<(FeedPosition, ChangeSummary)> {
    let part = FeedLimits {
        changes_max,
        ..MUCH
    };
    let mut seen = Vec::new();
    loop {
        let feed = read(fixture, since, part).await;
        assert_eq!(feed.resync, None);
        let changes = feed.changes.iter();
        seen.extend(changes.map(|(bookmark, change)| (*bookmark, short(change))));
        since = FeedStart::After(feed.reached);
        if !feed.more {
            return seen;
        }
    }
}

async fn a_feed_resumed_at_any_point_neither_loses_nor_repeats_changes(fixture: &StoreFixture) {
    let start = storm(fixture).await;
    for since in [start, FeedStart::Beginning] {
        let all = follow(fixture, since, 500).await;
        assert!(all.is_sorted_by_key(|(bookmark, _)| bookmark.offset.seq));
        for changes_max in 1..5 {
            assert_eq!(follow(fixture, since, changes_max).await, all);
        }
        for cut in 0..all.len() {
            let rest = follow(fixture, FeedStart::After(all[cut].0), 500).await;
            assert_eq!(rest, all[cut + 1..]);
        }
    }
}

async fn cursor_0_replays_all_stored_entries(fixture: &StoreFixture) {
    storm(fixture).await;
    let feed = read(fixture, FeedStart::Beginning, MUCH).await;
    assert!(shorts(&feed).iter().all(|(what, ..)| *what == "new"));
    let counts = feed.counts;
    let stored = usize::try_from(counts.inbox_total + counts.sent_total).expect("few");
    assert_eq!(feed.changes.len(), stored);
    let nobody = read_as(fixture, "zoe", FeedStart::Beginning, MUCH).await;
    assert_eq!((nobody.changes, nobody.head), (Vec::new(), 0));
}

async fn a_part_of_the_feed_is_cut_by_bytes_and_has_at_least_one_change(fixture: &StoreFixture) {
    for size in [500, 500, 2_000, 10] {
        let action = Action::SendMessage(from_user("ann", &["bob"], bytes(size)));
        sent(fixture.act(action).await);
    }
    let part = FeedLimits {
        bytes_max: 1_000,
        ..MUCH
    };
    let mut since = FeedStart::Beginning;
    for expected in [2, 1, 1] {
        let feed = read(fixture, since, part).await;
        assert_eq!(feed.changes.len(), expected);
        since = FeedStart::After(feed.reached);
    }
    assert_eq!(read(fixture, since, part).await.changes.len(), 0);
}

async fn trimmed_deletions_yield_a_resync_except_from_an_empty_cursor(fixture: &StoreFixture) {
    let ids = sends(fixture, 4).await;
    let start = now(fixture).await;
    fixture.done(delete("bob", Msgbox::Inbox, &ids[..2])).await;
    let one = FeedLimits {
        changes_max: 1,
        ..MUCH
    };
    let replay = read(fixture, FeedStart::Beginning, one).await;
    let trim = TrimTombstones {
        owner: profile("bob"),
        seq: i64::MAX,
    };
    fixture.done(Action::TrimTombstones(trim)).await;
    let broken = read(fixture, start, MUCH).await;
    assert_eq!(broken.resync, Some(ResyncReason::TooOld));
    assert!(broken.changes.is_empty() && broken.reached.offset.seq == broken.head);
    let rest = read(fixture, FeedStart::After(replay.reached), MUCH).await;
    assert_eq!(shorts(&rest), [("new", Msgbox::Inbox, ids[3])]);
    assert_eq!(
        read(fixture, FeedStart::Beginning, MUCH)
            .await
            .changes
            .len(),
        2
    );
}

async fn trimming_removes_old_deletions_only(fixture: &StoreFixture) {
    let ids = sends(fixture, 3).await;
    let start = now(fixture).await;
    fixture.done(delete("bob", Msgbox::Inbox, &ids[..1])).await;
    fixture.done(clear("ann", Msgbox::Sent)).await;
    fixture.clock().advance(TOMBSTONE_MS - DAY_MS);
    fixture.done(delete("bob", Msgbox::Inbox, &ids[1..2])).await;
    let middle = now(fixture).await;
    trimmed(&*fixture.store).await;
    assert_eq!(read(fixture, start, MUCH).await.resync, None);

    fixture.clock().advance(2 * DAY_MS);
    fixture.done(delete("bob", Msgbox::Inbox, &ids[2..])).await;
    trimmed(&*fixture.store).await;
    assert_eq!(
        read(fixture, start, MUCH).await.resync,
        Some(ResyncReason::TooOld)
    );
    let feed = read(fixture, middle, MUCH).await;
    assert_eq!(shorts(&feed), [("gone", Msgbox::Inbox, ids[2])]);
    let raw = fixture.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM msgbox_deleted").await, 2);
}

async fn a_new_epoch_ends_all_cursors(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let start = now(fixture).await;
    sends(fixture, 1).await;
    replica.new_epoch().await.expect("a new epoch");
    let feed = read(fixture, start, MUCH).await;
    assert_eq!(feed.resync, Some(ResyncReason::EpochChanged));
    let again = read(fixture, FeedStart::After(feed.reached), MUCH).await;
    assert_eq!(again.resync, None);
    replica.close().await;
}

/// A file has no identity: its epoch is changed by hand.
async fn a_replaced_database_starts_a_new_epoch(fixture: &StoreFixture) {
    let start = now(fixture).await;
    let raw = fixture.raw().await;
    raw.run("UPDATE server SET identity = 'another' WHERE identity IS NOT NULL")
        .await;
    fixture.store.statuses(&[]).await.expect("heads");
    let expected = match fixture.test.backend() {
        DatabaseKind::Sqlite => None,
        DatabaseKind::Postgres => Some(ResyncReason::EpochChanged),
    };
    assert_eq!(read(fixture, start, MUCH).await.resync, expected);
    let now = now(fixture).await;
    fixture.store.statuses(&[]).await.expect("heads");
    assert_eq!(read(fixture, now, MUCH).await.resync, None);
}

async fn a_cursor_ahead_of_the_database_yields_a_resync(fixture: &StoreFixture) {
    sends(fixture, 1).await;
    let mut bookmark = read(fixture, FeedStart::Head, MUCH).await.reached;
    bookmark.offset.seq += 1;
    let feed = read(fixture, FeedStart::After(bookmark), MUCH).await;
    assert_eq!(feed.resync, Some(ResyncReason::Ahead));
}

async fn a_delivery_is_no_change(fixture: &StoreFixture) {
    let ids = sends(fixture, 2).await;
    let start = now(fixture).await;
    let before = read(fixture, FeedStart::Beginning, MUCH).await;
    let delivered = MarkMessagesDelivered {
        owner: profile("bob"),
        message_ids: ids.clone(),
    };
    fixture.done(Action::MarkMessagesDelivered(delivered)).await;
    assert_eq!(read(fixture, start, MUCH).await.changes, []);
    let after = read(fixture, FeedStart::Beginning, MUCH).await;
    assert_eq!((after.head, shorts(&after)), (before.head, shorts(&before)));
    for (_, change) in &after.changes {
        let FeedChange::Received(item) = change else {
            panic!("{change:?}");
        };
        assert_eq!(
            (item.entry.version, item.entry.delivered_ms.is_some()),
            (1, true)
        );
    }
    let heads = fixture
        .store
        .statuses(&[after.mailbox])
        .await
        .expect("heads");
    assert_eq!(heads[0].head.seq, after.head);
}

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
            window: Some(BacklogWindow::first(offset.seq - 1, offset.seq + 1)),
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
        [&told.message, &read.found[0].message].map(|message| message.envelope.from.name.clone())
    };
    assert_eq!(names().await, ["ANN", "ANN"], "they are remembered");
    fixture.store.new_epoch().await.expect("a new epoch");
    assert_eq!(names().await, ["another", "another"]);
}
