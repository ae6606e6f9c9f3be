//! The recount finds what does not agree, and repairs it.

use domain::Msgbox;
use storage::Drift;
use support::drift::{recount, recount_kept};
use support::on_each_database;

use super::builders::{delete, mark, open, profile, remove, sent, to_all, update};
use super::fixture::StoreFixture;

on_each_database![
    a_recount_without_drift_counts_mailboxes_and_entries,
    a_recount_finds_and_repairs_each_altered_counter,
    a_recount_finds_entries_that_differ_from_their_message,
    many_mailboxes_are_recounted_in_parts,
];

async fn furnish(fixture: &StoreFixture) {
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.push(fixture.send("ann", &["bob", "ann"]).await);
    }
    fixture.done(mark("bob", &messages[..2], true)).await;
    fixture
        .done(delete("ann", Msgbox::Inbox, &messages[..1]))
        .await;
}

async fn a_recount_without_drift_counts_mailboxes_and_entries(fixture: &StoreFixture) {
    furnish(fixture).await;
    fixture.done(open("cid")).await;
    let found = recount(&*fixture.store).await;
    assert_eq!((found.mailboxes, found.entries), (3, 8));
    assert_eq!(found.drift, []);
}

async fn a_recount_finds_and_repairs_each_altered_counter(fixture: &StoreFixture) {
    furnish(fixture).await;
    let raw = fixture.raw().await;
    let untouched = raw.everything("app").await;
    for (tampering, field, stored, counted) in [
        ("inbox_total = 9", "inbox_total", 9, 3),
        ("inbox_unread = 0", "inbox_unread", 0, 1),
        ("sent_total = 2", "sent_total", 2, 0),
        ("seq = 3", "seq", 3, 5),
    ] {
        let of_bob = "WHERE profile_id = 'bob'";
        raw.run(&format!("UPDATE mailbox SET {tampering} {of_bob}"))
            .await;
        let drift = |repaired| Drift {
            app: "app".to_owned(),
            profile: Some(profile("bob")),
            field,
            stored,
            counted,
            repaired,
        };
        assert_eq!(recount(&*fixture.store).await.drift, [drift(false)]);
        let audit = fixture.store.recount(None, true).await.expect("an audit");
        assert_eq!(audit.drift, [drift(true)]);
        assert_eq!(recount(&*fixture.store).await.drift, []);
        assert_eq!(raw.everything("app").await, untouched, "{field}");
    }

    let late = "UPDATE mailbox SET next_expiry_ms = next_expiry_ms + 1";
    raw.run(late).await;
    let found = recount(&*fixture.store).await.drift;
    assert!(found.iter().all(|drift| drift.field == "next_expiry_ms"));
    assert_eq!(found.len(), 2);
    fixture.store.recount(None, true).await.expect("an audit");
    assert_eq!(raw.everything("app").await, untouched);

    raw.run("DELETE FROM message").await;
    let found = recount(&*fixture.store).await.drift;
    let lost: Vec<_> = found
        .iter()
        .map(|drift| (drift.field, drift.stored))
        .collect();
    let what = "entries without a message";
    assert_eq!(lost, [(what, 5), (what, 3)]);
    let audit = fixture.store.recount(None, true).await.expect("an audit");
    assert!(audit.drift.iter().all(|drift| !drift.repaired));
    raw.run("DELETE FROM msgbox").await;
    fixture.store.recount(None, true).await.expect("an audit");
    recount_kept(&*fixture.store, true).await;
}

async fn a_recount_finds_entries_that_differ_from_their_message(fixture: &StoreFixture) {
    furnish(fixture).await;
    let to_all = sent(fixture.act(to_all()).await);
    fixture.counts("bob").await;
    fixture.done(update(to_all, "newer", None)).await;
    fixture.done(remove(&[to_all])).await;
    // That the mailboxes have not met it yet is no drift.
    assert_eq!(recount(&*fixture.store).await.drift, []);
    let raw = fixture.raw().await;
    let found = async || {
        let drift = recount(&*fixture.store).await.drift;
        let found = drift.iter().map(|drift| (drift.field, drift.stored));
        found.collect::<Vec<_>>()
    };
    raw.run("UPDATE mailbox SET bulk_cursor = 3").await;
    let outdated = "entries of another version";
    assert_eq!(
        found().await,
        [(outdated, 1)],
        "bob holds what was recalled"
    );
    raw.run("UPDATE mailbox SET bulk_cursor = 4").await;
    assert_eq!(found().await, [("bulk_cursor", 4), ("bulk_cursor", 4)]);
    raw.run("UPDATE mailbox SET bulk_cursor = 1").await;
    assert_eq!(fixture.counts("bob").await, (3, 1, 0));
    assert_eq!(found().await, []);
}

async fn many_mailboxes_are_recounted_in_parts(fixture: &StoreFixture) {
    let owners: Vec<String> = (0..450).map(|number| format!("owner{number}")).collect();
    for some in owners.chunks(150) {
        fixture.batch(some.iter().map(|owner| open(owner))).await;
    }
    let first = fixture.store.recount(None, false).await.expect("an audit");
    assert!(first.next.is_some() && first.mailboxes < 450);
    assert_eq!(recount(&*fixture.store).await.mailboxes, 450);
    let last = &owners[449];
    let tamper = format!("UPDATE mailbox SET sent_total = 1 WHERE profile_id = '{last}'");
    fixture.raw().await.run(&tamper).await;
    let drift = recount(&*fixture.store).await.drift;
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0].profile, Some(profile(last)));
    let mut after = None;
    loop {
        after = fixture
            .store
            .recount(after, true)
            .await
            .expect("an audit")
            .next;
        if after.is_none() {
            return;
        }
    }
}
