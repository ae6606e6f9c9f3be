//! Messages to everyone: taken once, whoever comes first.

use domain::bulk::Tally;
use domain::{Audience, MessageId, Msgbox};
use futures::future::join_all;
use storage::{Change, FeedPart, MailStore, Reader, Since};
use support::however_gathered;

use super::bench::Bench;
use super::turning::everything;
use super::words::update;
use super::words::{app, bulk, clear, delete, mark, open, profile, remove, sent, settle, to_all};

however_gathered![
    mailboxes_that_two_stores_settle_at_once_take_it_once,
    a_send_and_mailboxes_that_begin_at_once_agree_on_who_was_there,
    it_costs_the_same_for_many_as_for_few,
    it_pages_where_it_was_sent_and_streams_when_it_was_taken,
    a_recall_is_a_deletion_to_who_had_it_and_nothing_to_the_others,
    an_owner_who_is_only_looked_at_by_the_app_takes_it_too,
    refusals_settle_as_well,
];

const OWNERS: i64 = 60;

fn owners() -> Vec<String> {
    (0..OWNERS).map(|number| format!("owner{number}")).collect()
}

async fn begin_all(bench: &Bench) -> Vec<String> {
    let owners = owners();
    bench.batch(owners.iter().map(|owner| open(owner))).await;
    owners
}

async fn tally(bench: &Bench, message_id: MessageId) -> Tally {
    let report = bench.store.bulk(&app(), message_id).await;
    report.expect("a report").expect("a bulk message").tally
}

async fn mailboxes_that_two_stores_settle_at_once_take_it_once(bench: &Bench) {
    let owners = begin_all(bench).await;
    let replica = bench.replica().await;
    for round in 1..=3 {
        let message_id = sent(bench.act(to_all()).await);
        let (app, profiles) = (app(), owners.iter().map(|owner| profile(owner)));
        let profiles: Vec<_> = profiles.collect();
        let calls = profiles.iter().flat_map(|owner| {
            let stores: [&dyn MailStore; 4] = [&*bench.store, &*replica, &*bench.store, &*replica];
            let app = &app;
            stores.map(|store| async move {
                let counted = store.counts(app, owner, Reader::Owner).await;
                let counted = counted.expect("counts");
                (counted.counts.inbox_total, counted.position.seq)
            })
        });
        for found in join_all(calls).await {
            assert_eq!(found, (round, round));
        }
        let settled = OWNERS;
        assert_eq!(tally(bench, message_id).await.settled, settled);
    }
    replica.close().await;
}

async fn a_send_and_mailboxes_that_begin_at_once_agree_on_who_was_there(bench: &Bench) {
    let begin = owners().into_iter().map(|owner| {
        let store = bench.store.clone();
        async move {
            let operation = super::words::operation(open(&owner));
            store.run(&app(), operation).await.expect("it begins");
        }
    });
    let sends = (0..5).map(|_| bench.act(to_all()));
    let (_, sent_ids) = futures::join!(join_all(begin), join_all(sends));
    let ids: Vec<MessageId> = sent_ids.into_iter().map(sent).collect();
    let mut held = vec![0; ids.len()];
    for owner in owners() {
        let items = bench.entries(&owner, Msgbox::Inbox, &ids, 1_000).await;
        let found: Vec<MessageId> = items.found.iter().map(|it| it.entry.message_id).collect();
        for (count, id) in held.iter_mut().zip(&ids) {
            *count += i64::from(found.contains(id));
        }
        let (total, ..) = bench.counts(&owner).await;
        assert_eq!(total, i64::try_from(found.len()).expect("few"));
    }
    for (id, count) in ids.iter().zip(held) {
        assert_eq!(tally(bench, *id).await.settled, count);
    }
}

async fn it_costs_the_same_for_many_as_for_few(bench: &Bench) {
    begin_all(bench).await;
    let raw = bench.raw().await;
    let before = raw.number("SELECT count(*) FROM msgbox").await;
    let kept = sent(bench.act(to_all()).await);
    bench.done(update(kept, "newer", None)).await;
    let gone = sent(bench.act(bulk(Audience::Everyone, None)).await);
    bench.done(remove(&[gone])).await;
    assert_eq!(raw.number("SELECT count(*) FROM msgbox").await, before);
    assert_eq!(raw.number("SELECT count(*) FROM bulk").await, 4);
    assert_eq!(raw.number("SELECT count(*) FROM message").await, 2);
    let untouched = "SELECT count(*) FROM mailbox WHERE bulk_cursor = 0 AND seq = 0";
    assert_eq!(raw.number(untouched).await, OWNERS);
    assert_eq!(bench.counts("owner7").await, (1, 1, 0));
    assert_eq!(raw.number(untouched).await, OWNERS - 1);
}

async fn it_pages_where_it_was_sent_and_streams_when_it_was_taken(bench: &Bench) {
    bench.done(open("bob")).await;
    let first = bench.send("ann", &["bob"]).await;
    let message_id = sent(bench.act(to_all()).await);
    bench.clock().advance(5_000);
    let (app, bob) = (app(), profile("bob"));
    let since = Since::After(
        storage::Position {
            seq: 1,
            ..bench.page("bob", &everything()).await.position
        }
        .into(),
    );
    let last = bench.send("ann", &["bob"]).await;
    let page = bench.page("bob", &everything()).await;
    let mut order: Vec<MessageId> = page
        .found
        .items
        .iter()
        .map(|(key, _)| key.message_id)
        .collect();
    order.sort_unstable();
    assert_eq!(order, [first, message_id, last]);
    let all = FeedPart {
        changes_max: 10,
        bytes_max: 10_000,
    };
    let feed = bench.store.changes(&app, &bob, since, all).await;
    let changes = feed.expect("a feed").changes;
    let received: Vec<MessageId> = changes
        .iter()
        .map(|(_, change)| match change {
            Change::Received(item) => item.entry.message_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(received, [message_id, last]);
}

async fn a_recall_is_a_deletion_to_who_had_it_and_nothing_to_the_others(bench: &Bench) {
    bench.batch(["ann", "bob"].map(open)).await;
    let message_id = sent(bench.act(to_all()).await);
    bench.done(settle("bob")).await;
    bench.done(mark("bob", &[message_id], true)).await;
    bench.done(remove(&[message_id])).await;
    for owner in ["ann", "bob"] {
        assert_eq!(bench.counts(owner).await, (0, 0, 0));
    }
    let gone = "SELECT b.profile_id FROM msgbox_deleted d
        JOIN mailbox b ON b.app_no = d.app_no AND b.mailbox_id = d.mailbox_id";
    assert_eq!(bench.raw().await.lines(gone).await, ["bob"]);
    assert_eq!(bench.messages(&[message_id]).await, []);
    let blank = "SELECT count(*) FROM message WHERE length(content) = 0 AND size_bytes = 0";
    assert_eq!(bench.raw().await.number(blank).await, 1);
    let expected = Tally {
        settled: 1,
        read: 1,
        deleted: 0,
    };
    assert_eq!(tally(bench, message_id).await, expected);
}

async fn an_owner_who_is_only_looked_at_by_the_app_takes_it_too(bench: &Bench) {
    bench.done(open("bob")).await;
    let message_id = sent(bench.act(to_all()).await);
    let (app, bob) = (app(), profile("bob"));
    let counted = bench.store.counts(&app, &bob, Reader::App).await;
    assert_eq!(counted.expect("counts").counts.inbox_total, 1);
    assert_eq!(tally(bench, message_id).await.settled, 1);
    let nobody = profile("nobody");
    let counted = bench.store.counts(&app, &nobody, Reader::App).await;
    assert_eq!(counted.expect("counts").position.seq, 0);
    assert_eq!(
        bench.done(clear("bob", Msgbox::Inbox)).await,
        domain::Outcome::Changed(1)
    );
    assert_eq!(
        bench
            .done(delete("bob", Msgbox::Inbox, &[message_id]))
            .await,
        domain::Outcome::Changed(0)
    );
    assert_eq!(tally(bench, message_id).await.deleted, 1);
}

async fn refusals_settle_as_well(bench: &Bench) {
    bench.done(open("bob")).await;
    let message_id = sent(bench.act(to_all()).await);
    let edit = super::words::edit("bob", message_id, "mine");
    assert_eq!(bench.act(edit).await, Err(domain::Refusal::NotAllowed));
    let taken = "SELECT count(*) FROM msgbox";
    assert_eq!(bench.raw().await.number(taken).await, 1);
}
