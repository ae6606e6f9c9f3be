//! Messages go once all of their holders have deleted them.

use domain::limits::{DAY_MS, EXPIRED_KEPT_MS, MINUTE_MS, SWEEP_LEASE_MS};
use domain::{Action, Audience, MessageId, Msgbox, Policy};
use support::on_each_database;

use super::builders::{
    app, block, bulk, bytes, clear, delete, from_user, operation, other_app, recall, send, sent,
};
use super::expiry::sweep_all;
use super::fixture::{BatchStore, StoreFixture};

on_each_database![
    a_deleted_message_goes_with_its_last_holder,
    a_deleted_message_stays_readable_for_moderation,
    a_message_to_everyone_outlives_its_entries,
    orphans_are_found_in_parts_and_by_the_next_replica,
    the_search_for_orphans_goes_on_where_another_replica_has_ended,
    a_deleted_content_leaves_the_database_file,
    a_message_without_entries_goes_like_an_orphan,
];

/// Lets the tombstones become old enough for the sweep, and sweeps.
async fn swept(fixture: &StoreFixture, store: &BatchStore) {
    fixture.clock().advance(MINUTE_MS + 1);
    sweep_all(store).await;
}

async fn is_found(fixture: &StoreFixture, message_id: MessageId) -> bool {
    !fixture.messages(&[message_id]).await.is_empty()
}

async fn a_deleted_message_goes_with_its_last_holder(fixture: &StoreFixture) {
    let kept = fixture.send("ann", &["bob", "cid"]).await;
    let gone = fixture.send("ann", &["bob", "cid"]).await;
    let apart = operation(send("ann", &["bob"]));
    let apart = sent(fixture.execute(&other_app("other"), apart).await);
    fixture
        .done(delete("ann", Msgbox::Sent, &[kept, gone]))
        .await;
    fixture.done(delete("bob", Msgbox::Inbox, &[gone])).await;
    fixture.done(clear("bob", Msgbox::Inbox)).await;
    fixture.done(delete("cid", Msgbox::Inbox, &[gone])).await;
    sweep_all(&fixture.store).await;
    assert!(is_found(fixture, gone).await, "deleted just now");
    swept(fixture, &fixture.store).await;
    assert!(!is_found(fixture, gone).await);
    assert!(is_found(fixture, kept).await);
    assert_eq!(fixture.counts("cid").await, (1, 1, 0));
    fixture.clock().advance(EXPIRED_KEPT_MS);
    sweep_all(&fixture.store).await;
    let raw = fixture.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM message").await, 2);
    fixture.done(delete("cid", Msgbox::Inbox, &[kept])).await;
    swept(fixture, &fixture.store).await;
    swept(fixture, &fixture.store).await;
    let left = raw.lines("SELECT m.recipients FROM message m").await;
    assert_eq!(left.len(), 1, "{apart:?}");
}

/// Bob is blocked, and the own copy of the first message makes room for the second one.
async fn a_message_without_entries_goes_like_an_orphan(fixture: &StoreFixture) {
    fixture.done(block("ann", "bob")).await;
    for (kept_ms, left) in [(0, 1), (DAY_MS, 2)] {
        let policy = Policy {
            max_box_messages: 1,
            app_reserve_percent: 0,
            keep_for_moderation_ms: kept_ms,
            ..Policy::default()
        };
        let store = fixture.store_with(policy).await;
        let letters = [0, 1].map(|_| (app(), operation(send("ann", &["bob"]))));
        let verdicts = store.batch(letters.into()).await;
        let ids: Vec<MessageId> = verdicts.into_iter().map(sent).collect();
        fixture.clock().advance(MINUTE_MS);
        let found = fixture.messages(&ids).await;
        assert_eq!(found.len(), left, "{kept_ms}");
        store.close().await;
    }
}

async fn a_deleted_message_stays_readable_for_moderation(fixture: &StoreFixture) {
    let policy = Policy {
        keep_for_moderation_ms: DAY_MS,
        ..Policy::default()
    };
    let store = fixture.store_with(policy).await;
    let run = async |action: Action| store.run(&app(), operation(action)).await;
    let message_id = sent(run(send("ann", &["bob"])).await);
    let recalled = sent(run(send("ann", &["bob"])).await);
    run(recall("ann", Msgbox::Sent, &[recalled]))
        .await
        .expect("a recall");
    run(clear("ann", Msgbox::Sent)).await.expect("a deletion");
    run(clear("bob", Msgbox::Inbox)).await.expect("a deletion");
    swept(fixture, &store).await;
    assert!(!is_found(fixture, recalled).await);
    fixture.clock().advance(DAY_MS - 1);
    sweep_all(&store).await;
    assert!(is_found(fixture, message_id).await);
    fixture.clock().advance(1);
    assert!(!is_found(fixture, message_id).await);
    store.close().await;
}

async fn a_message_to_everyone_outlives_its_entries(fixture: &StoreFixture) {
    fixture.send("ann", &["bob"]).await;
    let to_all = sent(fixture.act(bulk(Audience::Everyone, None)).await);
    for owner in ["ann", "bob"] {
        fixture.done(clear(owner, Msgbox::Inbox)).await;
    }
    swept(fixture, &fixture.store).await;
    assert!(is_found(fixture, to_all).await);
    assert_eq!(fixture.counts("cid").await, (0, 0, 0));
    fixture.done(super::builders::open("cid")).await;
    assert_eq!(fixture.counts("cid").await, (1, 1, 0));
}

/// Sends that many messages and lets both holders delete them.
async fn delete_messages(fixture: &StoreFixture, count: usize) {
    let sends = (0..count).map(|_| send("ann", &["bob"]));
    for sent in fixture.batch(sends).await {
        sent.expect("a message");
    }
    fixture.done(clear("ann", Msgbox::Sent)).await;
    fixture.done(clear("bob", Msgbox::Inbox)).await;
}

const LIVE: &str = "SELECT count(*) FROM message WHERE expire_ms > ";

async fn live(fixture: &StoreFixture) -> i64 {
    let now = fixture.clock().now_ms().0;
    fixture.raw().await.number(&format!("{LIVE}{now}")).await
}

async fn orphans_are_found_in_parts_and_by_the_next_replica(fixture: &StoreFixture) {
    delete_messages(fixture, 140).await;
    fixture.clock().advance(MINUTE_MS);
    let mut left = vec![live(fixture).await];
    while fixture.store.expire_due().await.expect("a sweep") {
        left.push(live(fixture).await);
        assert!(left.len() < 9, "{left:?}");
    }
    assert_eq!(left.first(), Some(&140));
    assert!(left.len() > 2, "{left:?}");
    assert_eq!(live(fixture).await, 0);

    delete_messages(fixture, 3).await;
    let other = fixture.replica().await;
    fixture.clock().advance(SWEEP_LEASE_MS);
    sweep_all(&other).await;
    assert_eq!(live(fixture).await, 0);
    other.close().await;
}

async fn the_search_for_orphans_goes_on_where_another_replica_has_ended(fixture: &StoreFixture) {
    delete_messages(fixture, 3).await;
    swept(fixture, &fixture.store).await;
    assert_eq!(live(fixture).await, 0);
    let raw = fixture.raw().await;
    let noted = raw.number("SELECT orphans_ms FROM lease").await;
    assert_eq!(noted, fixture.clock().now_ms().0 - MINUTE_MS);
    // Those of messages that came back from nowhere are not looked at again.
    raw.run("UPDATE message SET expire_ms = expire_ms + 1000000000")
        .await;
    let other = fixture.replica().await;
    fixture.clock().advance(SWEEP_LEASE_MS);
    sweep_all(&other).await;
    assert_eq!(live(fixture).await, 3);
    other.close().await;
}

/// Texts of one page, and of several pages of an `SQLite` file.
async fn a_deleted_content_leaves_the_database_file(fixture: &StoreFixture) {
    let Some(path) = fixture.test.options.url.strip_prefix("sqlite:") else {
        return;
    };
    let mut ids = Vec::new();
    for size in [100, 30_000] {
        let letter = from_user("ann", &["bob"], bytes(size));
        ids.push(sent(fixture.act(Action::SendMessage(letter)).await));
    }
    let is_quiet = async || assert!(fixture.raw().await.is_quiet().await);
    let found = || {
        let file = std::fs::read(path).expect("the file");
        file.windows(50).filter(|part| *part == [b'x'; 50]).count()
    };
    is_quiet().await;
    assert!(found() > 10_000);
    fixture.done(recall("ann", Msgbox::Sent, &ids)).await;
    is_quiet().await;
    assert_eq!(found(), 0);
}
