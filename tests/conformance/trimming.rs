//! Old deletions are forgotten: which, and which not.

use domain::limits::{DAY_MS, TOMBSTONE_MIN_MS, TOMBSTONE_MS, TOMBSTONES_MAX};
use storage::Store;
use support::on_each_database;
use support::store::DatabaseKind;

use super::builders::{open, operation, other_app};
use super::fixture::StoreFixture;

on_each_database![
    trimming_keeps_the_newest_deletions_of_a_mailbox_only,
    a_mailbox_that_cannot_be_trimmed_does_not_stop_the_trimming,
];

/// Goes through all mailboxes.
pub async fn trimmed(store: &dyn Store) {
    let mut after = None;
    loop {
        after = store.trim_tombstones(after).await.expect("it is trimmed");
        if after.is_none() {
            return;
        }
    }
}

/// Recent deletions, of messages without other rows.
async fn deletions(fixture: &StoreFixture, owner: &str, count: u32) {
    let (now, raw) = (fixture.clock().now_ms().0, fixture.raw().await);
    let id = match fixture.test.backend() {
        DatabaseKind::Sqlite => "randomblob(16)",
        DatabaseKind::Postgres => "gen_random_uuid()",
    };
    raw.run(&format!(
        "WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < {count})
         INSERT INTO msgbox_deleted
             (app_no, mailbox_id, seq, box, message_id, delete_ms)
         SELECT b.app_no, b.mailbox_id, b.seq + 2 * n.seq, 0, {id}, {now}
         FROM mailbox b CROSS JOIN n WHERE b.profile_id = '{owner}';
         UPDATE mailbox SET seq = seq + 2 * {count} WHERE profile_id = '{owner}'"
    ))
    .await;
}

/// Floor of a mailbox, its number of deletions, and the first of them.
async fn floor(fixture: &StoreFixture, owner: &str) -> String {
    let text = format!(
        "SELECT b.floor_seq || ' ' || count(d.seq) || ' ' || coalesce(min(d.seq), 0)
         FROM mailbox b LEFT JOIN msgbox_deleted d
             ON d.app_no = b.app_no AND d.mailbox_id = b.mailbox_id
         WHERE b.profile_id = '{owner}' GROUP BY b.floor_seq"
    );
    fixture.raw().await.lines(&text).await.join(",")
}

async fn trimming_keeps_the_newest_deletions_of_a_mailbox_only(fixture: &StoreFixture) {
    let there = operation(open("eve"));
    fixture
        .execute(&other_app("there"), there)
        .await
        .expect("it begins");
    for owner in ["ann", "bob", "cid"] {
        fixture.done(open(owner)).await;
    }
    for (owner, count) in [
        ("ann", TOMBSTONES_MAX),
        ("bob", TOMBSTONES_MAX + 3),
        ("eve", TOMBSTONES_MAX + 1),
    ] {
        deletions(fixture, owner, count).await;
    }
    fixture.clock().advance(TOMBSTONE_MIN_MS);
    trimmed(&*fixture.store).await;
    assert_eq!(floor(fixture, "bob").await, "0 10003 2");
    fixture.clock().advance(1);
    trimmed(&*fixture.store).await;
    assert_eq!(floor(fixture, "ann").await, "0 10000 2");
    assert_eq!(floor(fixture, "bob").await, "6 10000 8");
    assert_eq!(floor(fixture, "cid").await, "0 0 0");
    assert_eq!(floor(fixture, "eve").await, "2 10000 4");

    fixture.clock().advance(DAY_MS);
    deletions(fixture, "ann", 5).await;
    fixture.clock().advance(TOMBSTONE_MS - DAY_MS);
    trimmed(&*fixture.store).await;
    assert_eq!(floor(fixture, "ann").await, "20000 5 20002");
    assert_eq!(floor(fixture, "bob").await, "20006 0 0");
}

async fn a_mailbox_that_cannot_be_trimmed_does_not_stop_the_trimming(fixture: &StoreFixture) {
    for owner in ["ann", "bob", "cid"] {
        fixture.done(open(owner)).await;
        deletions(fixture, owner, 5).await;
    }
    fixture.clock().advance(TOMBSTONE_MS + 1);
    fixture.raw().await.keep_deletions_of("bob").await;
    trimmed(&*fixture.store).await;
    assert_eq!(floor(fixture, "ann").await, "10 0 0");
    assert_eq!(floor(fixture, "bob").await, "0 5 2");
    assert_eq!(floor(fixture, "cid").await, "10 0 0");
}
