//! The recount finds what does not agree, and repairs it.

use domain::Msgbox;
use storage::Drift;
use support::drift::recount;
use support::on_each_database;

use super::bench::Bench;
use super::words::{delete, mark, open, profile, remove, sent, to_all, update};

on_each_database![
    what_agrees_is_counted_and_found_right,
    each_number_that_was_tampered_with_is_found_and_repaired,
    entries_that_do_not_show_what_their_message_says_are_found,
    many_mailboxes_are_recounted_in_parts,
];

async fn furnish(bench: &Bench) {
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.push(bench.send("ann", &["bob", "ann"]).await);
    }
    bench.done(mark("bob", &messages[..2], true)).await;
    bench
        .done(delete("ann", Msgbox::Inbox, &messages[..1]))
        .await;
}

async fn what_agrees_is_counted_and_found_right(bench: &Bench) {
    furnish(bench).await;
    bench.done(open("cid")).await;
    let found = recount(&*bench.store).await;
    assert_eq!((found.mailboxes, found.entries), (3, 8));
    assert_eq!(found.drift, []);
}

async fn each_number_that_was_tampered_with_is_found_and_repaired(bench: &Bench) {
    furnish(bench).await;
    let raw = bench.raw().await;
    let untouched = raw.everything("app").await;
    for (tampering, what, stored, counted) in [
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
            profile: profile("bob"),
            what,
            stored,
            counted,
            repaired,
        };
        assert_eq!(recount(&*bench.store).await.drift, [drift(false)]);
        let audit = bench.store.audit(None, true).await.expect("an audit");
        assert_eq!(audit.drift, [drift(true)]);
        assert_eq!(recount(&*bench.store).await.drift, []);
        assert_eq!(raw.everything("app").await, untouched, "{what}");
    }

    let late = "UPDATE mailbox SET next_expiry_ms = next_expiry_ms + 1";
    raw.run(late).await;
    let found = recount(&*bench.store).await.drift;
    assert!(found.iter().all(|drift| drift.what == "next_expiry_ms"));
    assert_eq!(found.len(), 2);
    bench.store.audit(None, true).await.expect("an audit");
    assert_eq!(raw.everything("app").await, untouched);

    raw.run("DELETE FROM message").await;
    let found = recount(&*bench.store).await.drift;
    let lost: Vec<_> = found
        .iter()
        .map(|drift| (drift.what, drift.stored))
        .collect();
    let what = "entries without a message";
    assert_eq!(lost, [(what, 5), (what, 3)]);
    let audit = bench.store.audit(None, true).await.expect("an audit");
    assert!(audit.drift.iter().all(|drift| !drift.repaired));
    raw.run("DELETE FROM msgbox").await;
    bench.store.audit(None, true).await.expect("an audit");
}

async fn entries_that_do_not_show_what_their_message_says_are_found(bench: &Bench) {
    furnish(bench).await;
    let to_all = sent(bench.act(to_all()).await);
    bench.counts("bob").await;
    bench.done(update(to_all, "newer", None)).await;
    bench.done(remove(&[to_all])).await;
    // That the mailboxes have not met it yet is no drift.
    assert_eq!(recount(&*bench.store).await.drift, []);
    let raw = bench.raw().await;
    let found = async || {
        let drift = recount(&*bench.store).await.drift;
        let found = drift.iter().map(|drift| (drift.what, drift.stored));
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
    assert_eq!(bench.counts("bob").await, (3, 1, 0));
    assert_eq!(found().await, []);
}

async fn many_mailboxes_are_recounted_in_parts(bench: &Bench) {
    let owners: Vec<String> = (0..450).map(|number| format!("owner{number}")).collect();
    for some in owners.chunks(150) {
        bench.batch(some.iter().map(|owner| open(owner))).await;
    }
    let first = bench.store.audit(None, false).await.expect("an audit");
    assert!(first.next.is_some() && first.mailboxes < 450);
    assert_eq!(recount(&*bench.store).await.mailboxes, 450);
    let last = &owners[449];
    let tamper = format!("UPDATE mailbox SET sent_total = 1 WHERE profile_id = '{last}'");
    bench.raw().await.run(&tamper).await;
    let drift = recount(&*bench.store).await.drift;
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0].profile, profile(last));
    let mut after = None;
    loop {
        after = bench.store.audit(after, true).await.expect("an audit").next;
        if after.is_none() {
            return;
        }
    }
}
