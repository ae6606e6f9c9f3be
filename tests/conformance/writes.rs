//! Rows that writes leave: counters, nothing after a refusal, expiry times.

use domain::limits::{DAY_MS, HOUR_MS};
use domain::{Action, Msgbox, Outcome, Policy, Refusal};
use storage::Requester;
use support::drift::recount_kept;
use support::however_gathered;

use super::builders::{
    announce, app, bytes, clear, configure, delete, edit, from_app, from_user, lasting, mark,
    nobodys, open, operation, profile, recall, remove, remove_one, send, sent, update,
};
use super::fixture::StoreFixture;

however_gathered![
    counters_follow_every_write,
    a_full_inbox_takes_nothing_and_a_full_sent_box_drops_its_oldest,
    a_refused_operation_writes_nothing,
    a_mailbox_is_created_by_its_owner_and_not_by_reads_of_the_app,
    mailbox_ids_are_never_reused,
    a_message_is_stored_with_its_expiry,
];

async fn counters_follow_every_write(fixture: &StoreFixture) {
    let one = fixture.send("ann", &["bob", "cid"]).await;
    let two = fixture.send("bob", &["ann", "bob"]).await;
    let three = fixture.announce(&["bob", "bob", "cid"]).await;
    let all = async || {
        (
            fixture.counts("ann").await,
            fixture.counts("bob").await,
            fixture.counts("cid").await,
        )
    };
    assert_eq!(all().await, ((1, 1, 1), (3, 3, 1), (2, 2, 0)));
    let none = nobodys();
    for (action, outcome, counts) in [
        (mark("bob", &[one, two, none], true), 2, (3, 1, 1)),
        (mark("bob", &[one, two], true), 2, (3, 1, 1)),
        (mark("bob", &[two, three], false), 2, (3, 2, 1)),
        (delete("bob", Msgbox::Inbox, &[one, none]), 1, (2, 2, 1)),
        (delete("bob", Msgbox::Inbox, &[one]), 0, (2, 2, 1)),
        (delete("bob", Msgbox::Inbox, &[three]), 1, (1, 1, 1)),
        (recall("ann", Msgbox::Sent, &[one, none]), 1, (1, 1, 1)),
        (recall("bob", Msgbox::Sent, &[two]), 1, (0, 0, 0)),
        (remove(&[one, two, three]), 1, (0, 0, 0)),
    ] {
        assert_eq!(
            fixture.act(action.clone()).await,
            Ok(Outcome::Changed(outcome))
        );
        assert_eq!(fixture.counts("bob").await, counts, "{action:?}");
    }
    assert_eq!(all().await, ((0, 0, 0), (0, 0, 0), (0, 0, 0)));

    for _ in 0..3 {
        fixture.send("ann", &["ann", "bob"]).await;
    }
    let cleared = fixture.done(clear("ann", Msgbox::Inbox)).await;
    assert_eq!(cleared, Outcome::Changed(3));
    assert_eq!(all().await, ((0, 0, 3), (3, 3, 0), (0, 0, 0)));
}

async fn a_full_inbox_takes_nothing_and_a_full_sent_box_drops_its_oldest(fixture: &StoreFixture) {
    let small = fixture.store_with(Policy {
        max_box_messages: 3,
        ..Policy::default()
    });
    let small = small.await;
    let mut messages = Vec::new();
    for _ in 0..3 {
        let verdict = small.run(&app(), operation(send("ann", &["bob"]))).await;
        messages.push(sent(verdict));
    }
    let to_both = small
        .run(&app(), operation(send("ann", &["bob", "cid"])))
        .await;
    let Ok(Outcome::Sent(to_both)) = to_both else {
        panic!("{to_both:?}");
    };
    assert_eq!((to_both.requested, to_both.actual), (2, 1));
    let refused = small.run(&app(), operation(send("ann", &["bob"]))).await;
    assert_eq!(refused, Err(Refusal::BoxFull));
    assert_eq!(fixture.counts("ann").await, (0, 0, 3));
    assert_eq!(fixture.counts("bob").await, (3, 3, 0));
    assert_eq!(fixture.counts("cid").await, (1, 1, 0));

    // Within one batch there is no more room than one by one.
    let batch = (0..5).map(|_| (app(), operation(send("ann", &["dan"]))));
    let verdicts = small.batch(batch.collect()).await;
    let full = [false, false, false, true, true];
    assert_eq!(
        verdicts.iter().map(Result::is_err).collect::<Vec<_>>(),
        full
    );
    assert_eq!(fixture.counts("ann").await, (0, 0, 3));
    let held = fixture.entries("ann", Msgbox::Sent, &messages, 1_000).await;
    assert_eq!(held.found, [], "the oldest are gone");
    small.close().await;
}

async fn a_refused_operation_writes_nothing(fixture: &StoreFixture) {
    let sent = fixture.send("ann", &["bob"]).await;
    let news = fixture.announce(&["bob"]).await;
    for owner in ["cid", "dan"] {
        fixture.done(open(owner)).await;
    }
    let forbidding = domain::Settings {
        allow_self_send: Some(false),
        allow_edit: Some(false),
        allow_delete_for_everyone: Some(false),
        max_recipients: Some(1),
        max_content_bytes: Some(100),
        ..domain::Settings::default()
    };
    fixture.done(configure(forbidding.clone())).await;
    let before = fixture.raw().await.everything("app").await;

    let stale = Action::UpdateAppSettings(domain::operation::UpdateAppSettings {
        settings: forbidding,
        expected_version: Some(1),
    });
    for action in [
        send("ann", &["ann"]),
        send("ann", &["bob", "cid"]),
        Action::SendMessage(from_user("ann", &["bob"], bytes(101))),
        Action::SendMessage(from_app(&["bob"], bytes(101))),
        edit("ann", sent, "new"),
        edit("bob", sent, "new"),
        edit("dan", sent, "new"),
        recall("ann", Msgbox::Sent, &[sent]),
        recall("bob", Msgbox::Inbox, &[sent, news]),
        update(sent, "new", Some(2)),
        update(nobodys(), "new", None),
        remove_one(sent, Some(2)),
        remove_one(nobodys(), None),
        stale,
    ] {
        let verdict = fixture.act(action.clone()).await;
        assert!(verdict.is_err(), "{action:?}: {verdict:?}");
        let batch = [action.clone(), action.clone()];
        let verdicts = fixture.batch(batch).await;
        assert!(verdicts.iter().all(Result::is_err), "{action:?}");
        assert_eq!(
            fixture.raw().await.everything("app").await,
            before,
            "{action:?}"
        );
    }
}

async fn a_mailbox_is_created_by_its_owner_and_not_by_reads_of_the_app(fixture: &StoreFixture) {
    let ann = profile("ann");
    let mailboxes = async || {
        fixture
            .raw()
            .await
            .number("SELECT count(*) FROM mailbox")
            .await
    };
    for (reader, begun) in [
        (Requester::App, 0),
        (Requester::Owner, 1),
        (Requester::Owner, 1),
    ] {
        let counted = fixture.store.counts(&app(), &ann, reader).await;
        let counted = counted.expect("counts");
        assert_eq!(counted.counts, domain::mailbox::Counts::default());
        assert_eq!(counted.offset.seq, 0);
        assert_eq!(mailboxes().await, begun);
    }
    let scan = super::page_offsets::everything();
    let bob = profile("bob");
    for (reader, begun) in [(Requester::App, 1), (Requester::Owner, 2)] {
        let page = fixture.store.page(&app(), &bob, reader, &scan).await;
        let found = page.expect("a page").found;
        assert!(found.items.is_empty() && !found.more);
        assert_eq!(found.count.map(|count| count.matches), Some(0));
        assert_eq!(mailboxes().await, begun);
    }
    fixture.entries("cid", Msgbox::Inbox, &[nobodys()], 1).await;
    assert_eq!(mailboxes().await, 3, "to ask by name is to come");
}

async fn mailbox_ids_are_never_reused(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    let newest = "SELECT max(mailbox_id) FROM mailbox";
    fixture.done(open("ann")).await;
    fixture.done(open("bob")).await;
    let of_bob = raw.number(newest).await;
    raw.run("DELETE FROM mailbox WHERE profile_id = 'bob'")
        .await;
    assert!(raw.number(newest).await < of_bob);
    fixture.done(announce(&["cid"])).await;
    assert!(raw.number(newest).await > of_bob);
    recount_kept(&*fixture.store, true).await;
}

async fn a_message_is_stored_with_its_expiry(fixture: &StoreFixture) {
    let now = fixture.clock().now_ms().0;
    let letter = || from_user("ann", &["bob"], bytes(1));
    let by_default = fixture.done(Action::SendMessage(letter())).await;
    let short = Action::SendMessage(lasting(letter(), 1_500));
    let short = fixture.done(short).await;
    let settings = domain::Settings {
        default_expiry_ms: Some(2 * HOUR_MS),
        ..domain::Settings::default()
    };
    fixture.done(configure(settings)).await;
    let overridden = fixture.done(Action::SendMessage(letter())).await;

    let raw = fixture.raw().await;
    for (outcome, lifetime_ms) in [
        (by_default, 30 * DAY_MS),
        (short, 1_500),
        (overridden, 2 * HOUR_MS),
    ] {
        let Outcome::Sent(sent) = outcome else {
            panic!("{outcome:?}");
        };
        let rounded = sent.expire_ms.0 - now - lifetime_ms;
        assert!((0..HOUR_MS).contains(&rounded), "{sent:?}");
        for table in ["message", "msgbox"] {
            let id = sent.message_id.uuid().simple().to_string().to_uppercase();
            let expiries = raw
                .lines(&format!(
                    "SELECT DISTINCT '' || t.expire_ms FROM {table} t
                     WHERE hex(t.message_id) = '{id}'"
                ))
                .await;
            assert_eq!(expiries, [sent.expire_ms.0.to_string()], "{table}");
        }
    }
    let due = raw.lines("SELECT profile_id || ' ' || next_expiry_ms FROM mailbox");
    let soonest = now + 1_500;
    assert_eq!(
        due.await,
        [format!("ann {soonest}"), format!("bob {soonest}")]
    );
}
