//! The feed: in order, complete, each change once, wherever a reader was cut off.

mod arrivals;
mod resyncs;

use domain::operation::MarkMessagesDelivered;
use domain::{Action, MessageId, Msgbox};
use storage::{FeedChange, FeedLimits, FeedPage, FeedPosition, FeedStart};
use support::on_each_database;

use super::builders::{app, bytes, delete, edit, from_user, mark, profile, remove, sent};
use super::fixture::StoreFixture;
use super::page_offsets::everything;

on_each_database![
    every_kind_of_change_arrives_once_and_in_order,
    the_feed_shows_the_last_state_of_entries,
    a_deletion_after_the_cursor_is_reported,
    a_replay_reports_deletions_after_its_start_only,
    a_feed_resumed_at_any_point_neither_loses_nor_repeats_changes,
    cursor_0_replays_all_stored_entries,
    a_part_of_the_feed_is_cut_by_bytes_and_has_at_least_one_change,
    a_delivery_is_no_change,
];

const MUCH: FeedLimits = FeedLimits {
    only: None,
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
        ("gone", Msgbox::Sent, new),
        ("gone", Msgbox::Inbox, new),
        ("new", Msgbox::Inbox, last),
    ];
    assert_eq!(shorts(&feed), expected);
    assert!(!feed.more && feed.resync.is_none());
    assert_eq!(feed.counts.inbox_total, 3);
    assert_eq!(feed.reached.offset.seq, feed.head);
    let after = read(fixture, FeedStart::After(feed.reached), MUCH).await;
    assert!(after.changes.is_empty() && !after.more);
}

async fn the_feed_shows_the_last_state_of_entries(fixture: &StoreFixture) {
    let start = now(fixture).await;
    let ids = sends(fixture, 2).await;
    fixture.done(mark("bob", &ids[..1], true)).await;
    fixture.done(mark("bob", &ids[..1], false)).await;
    fixture.done(delete("bob", Msgbox::Inbox, &ids[1..])).await;
    let feed = read(fixture, start, MUCH).await;
    let expected = [
        ("new", Msgbox::Inbox, ids[0]),
        ("gone", Msgbox::Inbox, ids[1]),
    ];
    assert_eq!(shorts(&feed), expected);
    let FeedChange::Received(item) = &feed.changes[0].1 else {
        panic!("{feed:?}");
    };
    assert_eq!((item.entry.version, item.entry.read_ms), (3, None));
}

/// A page that was read after the cursor shows what was created after it.
async fn a_deletion_after_the_cursor_is_reported(fixture: &StoreFixture) {
    let beginning = now(fixture).await;
    sends(fixture, 1).await;
    let start = now(fixture).await;
    let id = fixture.send("ann", &["bob"]).await;
    let page = fixture.page("bob", &everything()).await;
    assert_eq!(page.found.items.len(), 2);
    fixture.done(delete("bob", Msgbox::Inbox, &[id])).await;
    let gone = ("gone", Msgbox::Inbox, id);
    assert_eq!(shorts(&read(fixture, start, MUCH).await), [gone]);
    let all = follow(fixture, beginning, 1).await;
    assert_eq!(all.last().map(|(_, change)| *change), Some(gone));
}

async fn a_replay_reports_deletions_after_its_start_only(fixture: &StoreFixture) {
    let ids = sends(fixture, 4).await;
    fixture.done(delete("bob", Msgbox::Inbox, &ids[..1])).await;
    let one = FeedLimits {
        changes_max: 1,
        ..MUCH
    };
    let part = read(fixture, FeedStart::Beginning, one).await;
    assert_eq!(shorts(&part), [("new", Msgbox::Inbox, ids[1])]);
    fixture.done(delete("bob", Msgbox::Inbox, &ids[1..3])).await;
    let rest = read(fixture, FeedStart::After(part.reached), MUCH).await;
    let expected = [
        ("new", Msgbox::Inbox, ids[3]),
        ("gone", Msgbox::Inbox, ids[1]),
        ("gone", Msgbox::Inbox, ids[2]),
    ];
    assert_eq!(shorts(&rest), expected);
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

async fn a_delivery_is_no_change(fixture: &StoreFixture) {
    let ids = sends(fixture, 2).await;
    let start = now(fixture).await;
    let before = read(fixture, FeedStart::Beginning, MUCH).await;
    let delivered = MarkMessagesDelivered::new(profile("bob"), ids.clone());
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
