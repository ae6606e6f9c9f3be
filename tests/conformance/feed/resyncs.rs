//! Cursors that yield a resync: older than the trimmed deletions, of another epoch, or ahead.

use domain::limits::{DAY_MS, TOMBSTONE_MS};
use domain::operation::TrimTombstones;
use domain::{Action, Msgbox};
use storage::{FeedLimits, FeedStart, ResyncReason};
use support::on_each_database;
use support::store::DatabaseKind;

use super::{MUCH, now, read, sends, shorts};
use crate::conformance::builders::{clear, delete, profile};
use crate::conformance::fixture::StoreFixture;
use crate::conformance::trimming::trimmed;

on_each_database![
    trimmed_deletions_yield_a_resync_except_from_an_empty_cursor,
    trimming_removes_old_deletions_only,
    a_new_epoch_ends_all_cursors,
    a_replaced_database_starts_a_new_epoch,
    a_cursor_ahead_of_the_database_yields_a_resync,
];

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
