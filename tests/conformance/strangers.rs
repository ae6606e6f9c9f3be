//! Bounds of what one user may do to another.

use domain::limits::{DAY_MS, EXPIRY_MAX_MS};
use domain::{Action, LimitExceeded, MessageId, Policy, Refusal};
use support::on_each_database;

use super::builders::{announce, app, from_user, lasting, mark, operation, send, sent, text};
use super::fixture::{BatchStore, StoreFixture};

on_each_database![
    a_stranger_closes_no_inbox_to_the_app,
    a_sender_fills_an_inbox_up_to_the_limit_of_unread_messages,
    a_batch_and_a_replica_keep_the_limit_of_unread_messages,
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
