//! Bulk messages: each mailbox takes them once.

use domain::bulk::Tally;
use domain::limits::{HOUR_MS, LIVE_BULK_MAX};
use domain::{Audience, MessageId, Msgbox, Refusal};
use futures::future::join_all;
use storage::{FeedChange, FeedLimits, FeedStart, Requester, Store};
use support::however_gathered;

use super::builders::update;
use super::builders::{
    app, bulk, clear, delete, mark, open, operation, other_app, profile, remove, sent, settle,
    to_all,
};
use super::fixture::StoreFixture;
use super::page_offsets::everything;

however_gathered![
    a_mailbox_settled_by_two_stores_takes_a_bulk_message_once,
    a_bulk_send_and_concurrent_new_mailboxes_agree_on_the_audience,
    a_bulk_send_writes_as_many_rows_for_many_mailboxes_as_for_few,
    a_bulk_message_pages_by_send_time_and_streams_by_settling,
    a_recall_is_a_deletion_in_settled_mailboxes_only,
    a_read_by_the_app_settles_the_mailbox,
    a_refused_operation_settles_the_mailbox,
];

mod limit {
    use super::*;

    support::on_each_database![an_app_has_a_bounded_number_of_live_bulk_messages];
}

const OWNERS: i64 = 60;

fn owners() -> Vec<String> {
    (0..OWNERS).map(|number| format!("owner{number}")).collect()
}

async fn begin_all(fixture: &StoreFixture) -> Vec<String> {
    let owners = owners();
    fixture.batch(owners.iter().map(|owner| open(owner))).await;
    owners
}

async fn an_app_has_a_bounded_number_of_live_bulk_messages(fixture: &StoreFixture) {
    let brief = || bulk(Audience::Everyone, Some(HOUR_MS));
    let lasting = (3..LIVE_BULK_MAX).map(|_| to_all());
    let sends = (0..3).map(|_| brief()).chain(lasting);
    let mut messages: Vec<MessageId> = fixture.batch(sends).await.into_iter().map(sent).collect();
    let refused = Err(Refusal::TooManyBulk);
    assert_eq!(fixture.act(to_all()).await, refused);
    let there = other_app("there");
    let elsewhere = fixture.execute(&there, operation(to_all())).await;
    assert!(elsewhere.is_ok(), "{elsewhere:?}");
    let deleted = messages.pop().expect("many");
    fixture.done(remove(&[deleted])).await;
    fixture.done(to_all()).await;
    assert_eq!(fixture.act(to_all()).await, refused);
    let one_too_many = fixture.batch([to_all(), brief()]).await;
    assert_eq!(one_too_many, [refused.clone(), refused.clone()]);
    fixture.clock().advance(2 * HOUR_MS);
    let again = fixture.batch((0..4).map(|_| to_all())).await;
    assert!(again[..3].iter().all(Result::is_ok), "{again:?}");
    assert_eq!(again[3], refused);
}

async fn tally(fixture: &StoreFixture, message_id: MessageId) -> Tally {
    let report = fixture.store.bulk(&app(), message_id).await;
    report.expect("a report").expect("a bulk message").tally
}

async fn a_mailbox_settled_by_two_stores_takes_a_bulk_message_once(fixture: &StoreFixture) {
    let owners = begin_all(fixture).await;
    let replica = fixture.replica().await;
    for round in 1..=3 {
        let message_id = sent(fixture.act(to_all()).await);
        let (app, profiles) = (app(), owners.iter().map(|owner| profile(owner)));
        let profiles: Vec<_> = profiles.collect();
        let calls = profiles.iter().flat_map(|owner| {
            let stores: [&dyn Store; 4] = [&*fixture.store, &*replica, &*fixture.store, &*replica];
            let app = &app;
            stores.map(|store| async move {
                let counted = store.counts(app, owner, Requester::Owner).await;
                let counted = counted.expect("counts");
                (counted.counts.inbox_total, counted.offset.seq)
            })
        });
        for found in join_all(calls).await {
            assert_eq!(found, (round, round));
        }
        let settled = OWNERS;
        assert_eq!(tally(fixture, message_id).await.settled, settled);
    }
    replica.close().await;
}

async fn a_bulk_send_and_concurrent_new_mailboxes_agree_on_the_audience(fixture: &StoreFixture) {
    let begin = owners().into_iter().map(|owner| {
        let store = fixture.store.clone();
        async move {
            let operation = super::builders::operation(open(&owner));
            store.run(&app(), operation).await.expect("it begins");
        }
    });
    let sends = (0..5).map(|_| fixture.act(to_all()));
    let (_, sent_ids) = futures::join!(join_all(begin), join_all(sends));
    let ids: Vec<MessageId> = sent_ids.into_iter().map(sent).collect();
    let mut held = vec![0; ids.len()];
    for owner in owners() {
        let items = fixture.entries(&owner, Msgbox::Inbox, &ids, 1_000).await;
        let found: Vec<MessageId> = items.found.iter().map(|it| it.entry.message_id).collect();
        for (count, id) in held.iter_mut().zip(&ids) {
            *count += i64::from(found.contains(id));
        }
        let (total, ..) = fixture.counts(&owner).await;
        assert_eq!(total, i64::try_from(found.len()).expect("few"));
    }
    for (id, count) in ids.iter().zip(held) {
        assert_eq!(tally(fixture, *id).await.settled, count);
    }
}

async fn a_bulk_send_writes_as_many_rows_for_many_mailboxes_as_for_few(fixture: &StoreFixture) {
    begin_all(fixture).await;
    let raw = fixture.raw().await;
    let before = raw.number("SELECT count(*) FROM msgbox").await;
    let kept = sent(fixture.act(to_all()).await);
    fixture.done(update(kept, "newer", None)).await;
    let gone = sent(fixture.act(bulk(Audience::Everyone, None)).await);
    fixture.done(remove(&[gone])).await;
    assert_eq!(raw.number("SELECT count(*) FROM msgbox").await, before);
    assert_eq!(raw.number("SELECT count(*) FROM bulk").await, 4);
    assert_eq!(raw.number("SELECT count(*) FROM message").await, 2);
    let untouched = "SELECT count(*) FROM mailbox WHERE bulk_cursor = 0 AND seq = 0";
    assert_eq!(raw.number(untouched).await, OWNERS);
    assert_eq!(fixture.counts("owner7").await, (1, 1, 0));
    assert_eq!(raw.number(untouched).await, OWNERS - 1);
}

async fn a_bulk_message_pages_by_send_time_and_streams_by_settling(fixture: &StoreFixture) {
    fixture.done(open("bob")).await;
    let first = fixture.send("ann", &["bob"]).await;
    let message_id = sent(fixture.act(to_all()).await);
    fixture.clock().advance(5_000);
    let (app, bob) = (app(), profile("bob"));
    let since = FeedStart::After(
        storage::FeedOffset {
            seq: 1,
            ..fixture.page("bob", &everything()).await.offset
        }
        .into(),
    );
    let last = fixture.send("ann", &["bob"]).await;
    let page = fixture.page("bob", &everything()).await;
    let mut order: Vec<MessageId> = page
        .found
        .items
        .iter()
        .map(|(key, _)| key.message_id)
        .collect();
    order.sort_unstable();
    assert_eq!(order, [first, message_id, last]);
    let all = FeedLimits {
        only: None,
        changes_max: 10,
        bytes_max: 10_000,
    };
    let feed = fixture.store.changes(&app, &bob, since, all).await;
    let changes = feed.expect("a feed").changes;
    let received: Vec<MessageId> = changes
        .iter()
        .map(|(_, change)| match change {
            FeedChange::Received(item) => item.entry.message_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(received, [message_id, last]);
}

async fn a_recall_is_a_deletion_in_settled_mailboxes_only(fixture: &StoreFixture) {
    fixture.batch(["ann", "bob"].map(open)).await;
    let message_id = sent(fixture.act(to_all()).await);
    fixture.done(settle("bob")).await;
    fixture.done(mark("bob", &[message_id], true)).await;
    fixture.done(remove(&[message_id])).await;
    for owner in ["ann", "bob"] {
        assert_eq!(fixture.counts(owner).await, (0, 0, 0));
    }
    let gone = "SELECT b.profile_id FROM msgbox_deleted d
        JOIN mailbox b ON b.app_no = d.app_no AND b.mailbox_id = d.mailbox_id";
    assert_eq!(fixture.raw().await.lines(gone).await, ["bob"]);
    assert_eq!(fixture.messages(&[message_id]).await, []);
    let blank = "SELECT count(*) FROM message WHERE length(content) = 0 AND size_bytes = 0";
    assert_eq!(fixture.raw().await.number(blank).await, 1);
    let expected = Tally {
        settled: 1,
        read: 1,
        deleted: 0,
    };
    assert_eq!(tally(fixture, message_id).await, expected);
}

async fn a_read_by_the_app_settles_the_mailbox(fixture: &StoreFixture) {
    fixture.done(open("bob")).await;
    let message_id = sent(fixture.act(to_all()).await);
    let (app, bob) = (app(), profile("bob"));
    let counted = fixture.store.counts(&app, &bob, Requester::App).await;
    assert_eq!(counted.expect("counts").counts.inbox_total, 1);
    assert_eq!(tally(fixture, message_id).await.settled, 1);
    let nobody = profile("nobody");
    let counted = fixture.store.counts(&app, &nobody, Requester::App).await;
    assert_eq!(counted.expect("counts").offset.seq, 0);
    assert_eq!(
        fixture.done(clear("bob", Msgbox::Inbox)).await,
        domain::Outcome::Changed(1)
    );
    assert_eq!(
        fixture
            .done(delete("bob", Msgbox::Inbox, &[message_id]))
            .await,
        domain::Outcome::Changed(0)
    );
    assert_eq!(tally(fixture, message_id).await.deleted, 1);
}

async fn a_refused_operation_settles_the_mailbox(fixture: &StoreFixture) {
    fixture.done(open("bob")).await;
    let message_id = sent(fixture.act(to_all()).await);
    let edit = super::builders::edit("bob", message_id, "mine");
    assert_eq!(fixture.act(edit).await, Err(domain::Refusal::NotAllowed));
    let taken = "SELECT count(*) FROM msgbox";
    assert_eq!(fixture.raw().await.number(taken).await, 1);
}
