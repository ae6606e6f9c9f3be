//! Rows that another session has locked, on `PostgreSQL`: only what needs them waits.

use std::collections::BTreeMap;

use domain::{Action, AppId, MessageId, Msgbox, Outcome, Refusal};
use futures::future::BoxFuture;
use futures::{FutureExt as _, poll};
use storage::Error;
use support::on_postgres;

use super::builders::{
    announce, app, bulk, delete, edit, from_user, mark, nobodys, operation, other_app, profile,
    recall, send, sent, text, to_all, update,
};
use super::fixture::{HeldLock, StoreFixture, in_time};

on_postgres![
    a_held_mailbox_delays_its_own_operations_only,
    a_held_message_delays_its_own_operations_only,
    a_stranger_to_a_message_waits_for_none_of_its_rows,
    a_held_app_delays_its_own_changes_only,
    a_mailbox_that_another_session_is_creating_delays_its_own_operations_only,
    a_row_that_is_held_again_and_again_is_got,
    a_held_row_does_not_outlast_the_deadline,
    two_stores_that_write_to_the_same_mailboxes_lose_nothing,
];

/// Sends of others, one after the other, while a row is held.
const OTHERS: usize = 20;
/// Sends of each of two stores.
const SENDS: usize = 100;

type Call = BoxFuture<'static, Result<Outcome, Error>>;

fn call(fixture: &StoreFixture, action: Action) -> Call {
    let store = fixture.store.clone();
    async move { store.execute(&app(), operation(action), in_time()).await }.boxed()
}

/// Asserts that calls have to wait until a lock is released, and that others need not.
async fn assert_delayed(fixture: &StoreFixture, held: HeldLock, actions: Vec<Action>) {
    let mut calls: Vec<Call> = actions.into_iter().map(|it| call(fixture, it)).collect();
    for call in &mut calls {
        assert!(poll!(call).is_pending());
    }
    for number in 0..OTHERS {
        let app = if number % 2 == 0 {
            app()
        } else {
            other_app("other")
        };
        let operation = operation(send("x", &["y", "z"]));
        let done = fixture.store.execute(&app, operation, in_time()).await;
        done.expect("a message of others");
        for call in &mut calls {
            assert!(poll!(call).is_pending(), "done while the row was held");
        }
    }
    held.release().await;
    for call in calls {
        call.await.expect("it is done after the release");
    }
}

async fn a_held_mailbox_delays_its_own_operations_only(fixture: &StoreFixture) {
    let message = fixture.send("a", &["b", "c"]).await;
    let held = fixture.raw().await.hold_mailbox("b").await;
    let actions = vec![
        send("a", &["b"]),
        send("b", &["c"]),
        mark("b", &[message], true),
        // It holds the message.
        update(message, "new", None),
        announce(&["c", "b", "d"]),
    ];
    assert_delayed(fixture, held, actions).await;
    assert_eq!(fixture.counts("b").await, (3, 2, 1));
    assert_eq!(fixture.counts("c").await, (3, 3, 0));
}

async fn a_held_message_delays_its_own_operations_only(fixture: &StoreFixture) {
    let message = fixture.send("a", &["b"]).await;
    let id = message.uuid();
    let text = format!("SELECT 1 FROM message WHERE message_id = '{id}' FOR UPDATE");
    let held = fixture.raw().await.hold(text).await;
    assert_delayed(fixture, held, vec![edit("a", message, "new")]).await;
}

async fn a_stranger_to_a_message_waits_for_none_of_its_rows(fixture: &StoreFixture) {
    let message = fixture.send("a", &["b", "c"]).await;
    let gone = fixture.send("a", &["b", "former"]).await;
    fixture.done(delete("former", Msgbox::Inbox, &[gone])).await;
    let raw = fixture.raw().await;
    let messages = raw
        .hold("SELECT 1 FROM message FOR UPDATE".to_owned())
        .await;
    let mailbox = raw.hold_mailbox("c").await;
    let mut claims = [
        edit("a", message, "new"),
        edit("b", message, "new"),
        recall("a", Msgbox::Sent, &[message]),
        recall("b", Msgbox::Inbox, &[message, gone]),
    ]
    .map(|action| call(fixture, action));
    for claim in &mut claims {
        assert!(poll!(claim).is_pending());
    }
    for (stranger, id) in [("x", message), ("y", nobodys()), ("former", gone)] {
        let edited = fixture.act(edit(stranger, id, "mine")).await;
        assert_eq!(edited, Err(Refusal::NotFound), "{stranger}");
        for msgbox in Msgbox::ALL {
            let recalled = fixture.act(recall(stranger, msgbox, &[id])).await;
            assert_eq!(recalled, Ok(Outcome::Changed(0)), "{stranger}");
        }
    }
    for claim in &mut claims {
        assert!(poll!(claim).is_pending(), "done while its rows were held");
    }
    mailbox.release().await;
    messages.release().await;
    let [edited, ..] = claims;
    edited.await.expect("it is done after the release");
}

async fn a_held_app_delays_its_own_changes_only(fixture: &StoreFixture) {
    fixture.send("a", &["b"]).await;
    let held = fixture.raw().await;
    let text = "SELECT 1 FROM app WHERE app_id = 'app' FOR UPDATE".to_owned();
    let held = held.hold(text).await;
    let everyone = bulk(domain::Audience::Everyone, None);
    assert_delayed(fixture, held, vec![to_all(), everyone]).await;
    assert_eq!(fixture.counts("b").await, (3, 3, 0));
}

async fn a_mailbox_that_another_session_is_creating_delays_its_own_operations_only(
    fixture: &StoreFixture,
) {
    fixture.send("a", &["b"]).await;
    let text = "INSERT INTO mailbox (app_no, profile_id, create_ms)
                SELECT app_no, 'new', 0 FROM app WHERE app_id = 'app' AND
                pg_try_advisory_xact_lock(hashtextextended('new', app_no))";
    let held = fixture.raw().await.hold(text.to_owned()).await;
    assert_delayed(
        fixture,
        held,
        vec![send("a", &["new"]), send("new", &["a"])],
    )
    .await;
    assert_eq!(fixture.counts("new").await, (1, 1, 1));
}

async fn a_row_that_is_held_again_and_again_is_got(fixture: &StoreFixture) {
    fixture.send("a", &["b"]).await;
    let raw = fixture.raw().await;
    let mut held = raw.hold_mailbox("b").await;
    let mut waiting = call(fixture, send("a", &["b"]));
    assert!(poll!(&mut waiting).is_pending());
    // Each session queues up before the one before it lets go.
    loop {
        let (next, ()) = futures::join!(raw.hold_mailbox("b"), async {
            tokio::task::yield_now().await;
            held.release().await;
        });
        held = next;
        if let std::task::Poll::Ready(sent) = poll!(&mut waiting) {
            sent.expect("a message");
            break;
        }
    }
    held.release().await;
}

async fn a_held_row_does_not_outlast_the_deadline(fixture: &StoreFixture) {
    fixture.send("a", &["b"]).await;
    let held = fixture.raw().await.hold_mailbox("b").await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_millis(500);
    let (app, operation) = (app(), operation(send("a", &["b"])));
    let late = fixture.store.execute(&app, operation, deadline).await;
    let error = late.expect_err("an error");
    assert!(
        matches!(error, Error::Deadline | Error::Overloaded),
        "{error:?}"
    );
    held.release().await;
    assert_eq!(fixture.counts("b").await, (1, 1, 0));
}

async fn two_stores_that_write_to_the_same_mailboxes_lose_nothing(fixture: &StoreFixture) {
    let other = fixture.replica().await;
    let senders = [&fixture.store, &other].map(|store| async move {
        let sends = (0..SENDS).map(|number| {
            // Recipients in either order, some of them new.
            let new = format!("new{}", number / 10);
            let to = if number % 2 == 0 {
                ["b", "c"]
            } else {
                ["c", "b"]
            };
            let message = from_user("a", &[to[0], to[1], &new], text("hello"));
            async move {
                let operation = operation(message.into());
                let done = store.execute(&app(), operation, in_time()).await;
                done.expect("a message")
            }
        });
        futures::future::join_all(sends).await
    });
    let outcomes = futures::future::join_all(senders).await.concat();
    let ids: BTreeMap<MessageId, Outcome> = outcomes
        .into_iter()
        .map(|outcome| (sent(Ok(outcome.clone())), outcome))
        .collect();
    assert_eq!(ids.len(), 2 * SENDS);
    let all = i64::try_from(2 * SENDS).expect("a few");
    assert_eq!(fixture.counts("b").await, (all, all, 0));
    assert_eq!(fixture.counts("c").await, (all, all, 0));
    assert_eq!(fixture.counts("a").await, (0, 0, all));
    let (app, b): (AppId, _) = (app(), profile("b"));
    let named: Vec<MessageId> = ids.into_keys().collect();
    let found = other
        .entries(&app, &b, Msgbox::Inbox, &named, usize::MAX)
        .await;
    assert_eq!(found.expect("entries").found.len(), 2 * SENDS);
    other.close().await;
}
