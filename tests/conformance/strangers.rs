//! Bounds of what one user may do to another.

use domain::limits::{DAY_MS, EXPIRED_KEPT_MS, EXPIRY_MAX_MS, MINUTE_MS};
use domain::{Action, LimitExceeded, MessageId, Msgbox, Outcome, Policy, Refusal, Settings};
use futures::future::join_all;
use storage::Requester;
use support::on_each_database;

use super::builders::{
    announce, app, block, bulk, clear, configure, edit, from_user, lasting, mark, open, operation,
    profile, recall, send, sent, settle, text,
};
use super::expiry::sweep_all;
use super::fixture::{BatchStore, StoreFixture};

on_each_database![
    a_stranger_closes_no_inbox_to_the_app,
    a_sender_fills_an_inbox_up_to_the_limit_of_unread_messages,
    a_batch_and_a_replica_keep_the_limit_of_unread_messages,
    unknown_recipients_are_passed_over_where_the_policy_forbids_them,
    a_policy_that_changes_within_a_batch_leaves_no_mailbox_of_a_stranger,
    a_profile_is_known_once_it_has_called_or_the_app_has_named_it,
    a_mailbox_that_was_never_used_goes_with_its_last_entry,
    recalled_messages_to_invented_ids_leave_no_mailbox,
    a_message_that_a_block_withholds_leaves_no_mailbox,
    a_mailbox_that_goes_and_comes_loses_no_message,
];

async fn is_taken(store: &BatchStore, action: Action) -> bool {
    match store.run(&app(), operation(action)).await {
        Ok(_) => true,
        Err(Refusal::BoxFull) => false,
        Err(refusal) => panic!("{refusal:?}"),
    }
}

async fn a_stranger_closes_no_inbox_to_the_app(fixture: &StoreFixture) {
    let policy = Policy {
        max_box_messages: 20,
        ..Policy::default()
    };
    let max_ms = policy.max_expiry_ms;
    let store = fixture.store_with(policy).await;
    let eternal = |lifetime_ms| {
        let letter = from_user("eve", &["bob"], text("hello"));
        operation(Action::SendMessage(lasting(letter, lifetime_ms)))
    };
    let refused = store.run(&app(), eternal(EXPIRY_MAX_MS)).await;
    let exceeded = LimitExceeded::Lifetime {
        lifetime_ms: EXPIRY_MAX_MS,
        max_ms,
    };
    assert_eq!(refused, Err(Refusal::LimitsExceeded(vec![exceeded])));
    let mut taken = 0;
    for _ in 0..25 {
        taken += usize::from(store.run(&app(), eternal(30 * DAY_MS)).await.is_ok());
    }
    assert_eq!(taken, 18);
    assert!(is_taken(&store, announce(&["bob"])).await);
    assert!(is_taken(&store, announce(&["bob"])).await);
    assert!(!is_taken(&store, announce(&["bob"])).await);
    store.close().await;
}

fn limited() -> Policy {
    Policy {
        max_unread_per_sender: 10,
        ..Policy::default()
    }
}

async fn a_sender_fills_an_inbox_up_to_the_limit_of_unread_messages(fixture: &StoreFixture) {
    let store = fixture.store_with(limited()).await;
    let to_bob = |from| operation(send(from, &["bob"]));
    let mut ids: Vec<MessageId> = Vec::new();
    for _ in 0..10 {
        ids.push(sent(store.run(&app(), to_bob("eve")).await));
    }
    for _ in 0..2 {
        assert!(!is_taken(&store, send("eve", &["bob"])).await);
        assert!(is_taken(&store, send("ann", &["bob"])).await);
    }
    // Somebody else may still be reached by the same message.
    let both = store
        .run(&app(), operation(send("eve", &["bob", "cid"])))
        .await;
    let Ok(domain::Outcome::Sent(both)) = both else {
        panic!("{both:?}");
    };
    assert_eq!((both.requested, both.actual), (2, 1));
    fixture.done(mark("bob", &ids[7..], true)).await;
    for _ in 0..3 {
        assert!(is_taken(&store, send("eve", &["bob"])).await);
    }
    assert!(!is_taken(&store, send("eve", &["bob"])).await);
    fixture.done(mark("bob", &ids[7..8], false)).await;
    assert!(!is_taken(&store, send("eve", &["bob"])).await);
    assert!(is_taken(&store, announce(&["bob"])).await);
    assert!(is_taken(&store, send("bob", &["bob"])).await);
    store.close().await;
}

async fn a_batch_and_a_replica_keep_the_limit_of_unread_messages(fixture: &StoreFixture) {
    let stores = [
        fixture.store_with(limited()).await,
        fixture.store_with(limited()).await,
    ];
    let batch = |size: usize| {
        let sends = (0..size).map(|_| (app(), operation(send("eve", &["bob"]))));
        sends.collect::<Vec<_>>()
    };
    let mut taken = 0;
    for (store, size) in [(0, 4), (1, 4), (0, 4), (1, 9)] {
        let verdicts = stores[store].batch(batch(size)).await;
        taken += verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    }
    assert_eq!(taken, 10);
    assert_eq!(fixture.counts("bob").await, (10, 10, 0));
    for store in stores {
        store.close().await;
    }
}

/// Owners of all mailboxes.
async fn owners(fixture: &StoreFixture) -> Vec<String> {
    let raw = fixture.raw().await;
    raw.lines("SELECT b.profile_id FROM mailbox b").await
}

fn to_known() -> Policy {
    Policy {
        allow_unknown_recipients: false,
        ..Policy::default()
    }
}

async fn numbers(store: &BatchStore, from: &str, to: &[&str]) -> Result<(u32, u32), Refusal> {
    match store.run(&app(), operation(send(from, to))).await? {
        Outcome::Sent(sent) => Ok((sent.requested, sent.actual)),
        other => panic!("{other:?}"),
    }
}

async fn unknown_recipients_are_passed_over_where_the_policy_forbids_them(fixture: &StoreFixture) {
    let store = fixture.store_with(to_known()).await;
    fixture.done(open("ann")).await;
    fixture.done(open("bob")).await;
    let unknown = Err(Refusal::RecipientsUnknown);
    assert_eq!(numbers(&store, "ann", &["eve", "Bob"]).await, unknown);
    assert_eq!(numbers(&store, "ann", &["bob", "eve"]).await, Ok((2, 1)));
    assert_eq!(numbers(&store, "ann", &["ann", "eve"]).await, Ok((2, 1)));
    let batch = [
        send("ann", &["eve"]),
        send("ann", &["bob"]),
        open("eve"),
        send("ann", &["eve"]),
    ];
    let batch = batch.map(|action| (app(), operation(action)));
    let verdicts = store.batch(batch.into()).await;
    let taken: Vec<bool> = verdicts.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [false, true, true, true]);
    assert_eq!(owners(fixture).await, ["ann", "bob", "eve"]);
    // A stranger's message makes nobody known.
    fixture.send("ann", &["fay"]).await;
    assert_eq!(numbers(&store, "ann", &["fay"]).await, unknown);
    // What was sent to somebody who has gone is still edited and recalled.
    let message = fixture.send("ann", &["bob", "gus"]).await;
    fixture.done(edit("ann", message, "better")).await;
    fixture.done(recall("ann", Msgbox::Sent, &[message])).await;
    assert_eq!(owners(fixture).await, ["ann", "bob", "eve", "fay"]);
    store.close().await;
}

async fn a_policy_that_changes_within_a_batch_leaves_no_mailbox_of_a_stranger(
    fixture: &StoreFixture,
) {
    for owner in ["ann", "bob"] {
        fixture.done(open(owner)).await;
    }
    let allowing = |allowed| {
        configure(Settings {
            allow_unknown_recipients: Some(allowed),
            ..Settings::default()
        })
    };
    for allowed in [false, true] {
        let batch = [
            allowing(allowed),
            send("ann", &["bob", "x"]),
            send("ann", &["y"]),
        ];
        let verdicts = fixture.batch(batch).await;
        let [_, Ok(Outcome::Sent(mixed)), refused] = &verdicts[..] else {
            panic!("{verdicts:?}");
        };
        assert_eq!(mixed.actual, 1);
        // The mailboxes of the batch were created by the policy from before.
        assert_eq!(*refused, Err(Refusal::RecipientsUnknown));
        assert_eq!(owners(fixture).await, ["ann", "bob"]);
    }
    assert_eq!(fixture.counts("bob").await, (2, 2, 0));
}

async fn a_profile_is_known_once_it_has_called_or_the_app_has_named_it(fixture: &StoreFixture) {
    let store = fixture.store_with(to_known()).await;
    fixture.done(open("ann")).await;
    for name in ["counts", "marks", "named", "owned", "settled"] {
        fixture.send("ann", &[name]).await;
        assert_eq!(
            numbers(&store, "ann", &[name]).await,
            Err(Refusal::RecipientsUnknown),
            "{name}"
        );
    }
    let (app, counting) = (app(), profile("counts"));
    for requester in [Requester::App, Requester::Owner] {
        let counts = store.counts(&app, &counting, requester).await;
        assert_eq!(counts.expect("counts").counts.inbox_total, 1);
    }
    fixture.done(mark("marks", &[], true)).await;
    fixture.done(announce(&["named"])).await;
    fixture.done(send("owned", &["ann"])).await;
    for known in ["counts", "marks", "named", "owned"] {
        assert_eq!(
            numbers(&store, "ann", &[known]).await,
            Ok((1, 1)),
            "{known}"
        );
    }
    // The sweep settles mailboxes, and the app looks into them.
    fixture.done(settle("settled")).await;
    fixture.counts("settled").await;
    let verdict = numbers(&store, "ann", &["settled"]).await;
    assert_eq!(verdict, Err(Refusal::RecipientsUnknown));
    store.close().await;
}

/// Sends messages of a minute.
async fn brief(fixture: &StoreFixture, from: &str, to: &[&str]) -> MessageId {
    let letter = lasting(from_user(from, to, text("hello")), MINUTE_MS);
    sent(fixture.act(Action::SendMessage(letter)).await)
}

async fn a_mailbox_that_was_never_used_goes_with_its_last_entry(fixture: &StoreFixture) {
    brief(fixture, "eve", &["x1", "x2", "x3", "used"]).await;
    fixture.done(open("used")).await;
    fixture.done(announce(&["x3"])).await;
    fixture.clock().advance(MINUTE_MS / 2);
    brief(fixture, "eve", &["x2"]).await;
    fixture.clock().advance(MINUTE_MS / 2 + 1);
    sweep_all(&fixture.store).await;
    assert_eq!(owners(fixture).await, ["eve", "used", "x2", "x3"]);
    fixture.clock().advance(MINUTE_MS + EXPIRED_KEPT_MS);
    sweep_all(&fixture.store).await;
    assert_eq!(owners(fixture).await, ["eve", "used", "x3"]);
    let of_others = "SELECT d.message_id FROM msgbox_deleted d
         LEFT JOIN mailbox b ON b.mailbox_id = d.mailbox_id WHERE b.mailbox_id IS NULL";
    let count = format!("SELECT count(*) FROM ({of_others}) AS orphans");
    assert_eq!(fixture.raw().await.number(&count).await, 0);
    // One that waits for a message to everyone stays, and is counted.
    fixture.send("eve", &["x1"]).await;
    fixture.done(bulk(domain::Audience::Existing, None)).await;
    fixture.done(clear("eve", Msgbox::Sent)).await;
    assert_eq!(fixture.counts("x1").await, (2, 2, 0));
}

async fn recalled_messages_to_invented_ids_leave_no_mailbox(fixture: &StoreFixture) {
    let mut ids = Vec::new();
    for number in 0..5 {
        let names: Vec<String> = (0..100).map(|it| format!("x{number}-{it}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        ids.push(fixture.send("eve", &names).await);
    }
    assert_eq!(owners(fixture).await.len(), 501);
    fixture.done(recall("eve", Msgbox::Sent, &ids)).await;
    assert_eq!(owners(fixture).await, ["eve"]);
}

async fn a_message_that_a_block_withholds_leaves_no_mailbox(fixture: &StoreFixture) {
    fixture.done(block("bob", "eve")).await;
    assert_eq!(numbers(&fixture.store, "bob", &["eve"]).await, Ok((1, 1)));
    assert_eq!(owners(fixture).await, ["bob"]);
    let refused = fixture.batch([open("ann"), send("ann", &["zoe"])]).await;
    assert!(refused.iter().all(Result::is_ok));
    assert_eq!(owners(fixture).await, ["ann", "bob", "zoe"]);
}

async fn a_mailbox_that_goes_and_comes_loses_no_message(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    for _ in 0..10 {
        let first = fixture.send("eve", &["stray"]).await;
        let app = app();
        let letters = ["ann", "bob", "cid"].map(|from| {
            let store = if from == "bob" {
                &replica
            } else {
                &fixture.store
            };
            store.run(&app, operation(send(from, &["stray"])))
        });
        let recalled = fixture
            .store
            .run(&app, operation(recall("eve", Msgbox::Sent, &[first])));
        let (letters, recalled) = futures::future::join(join_all(letters), recalled).await;
        assert_eq!(recalled, Ok(Outcome::Changed(1)));
        let ids: Vec<MessageId> = letters.into_iter().map(sent).collect();
        assert_eq!(fixture.counts("stray").await, (3, 3, 0));
        for (from, id) in ["ann", "bob", "cid"].into_iter().zip(ids) {
            fixture.done(recall(from, Msgbox::Sent, &[id])).await;
        }
        assert_eq!(fixture.counts("stray").await, (0, 0, 0));
    }
    assert_eq!(owners(fixture).await, ["ann", "bob", "cid", "eve"]);
    replica.close().await;
}
