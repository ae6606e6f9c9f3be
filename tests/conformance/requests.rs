//! Idempotency: one request, one change, one answer.

use domain::limits::IDEMPOTENCY_MS;
use domain::{Msgbox, Operation, Outcome, Refusal, Settings};
use futures::future::join_all;
use support::however_gathered;

use super::builders::{
    announce, app, bytes, clear, configure, delete, from_user, mark, other_app, recall, remove,
    remove_one, repeatable, send, sent, update,
};
use super::fixture::StoreFixture;

however_gathered![
    the_same_request_sixteen_times_at_once_over_two_stores_is_one_message_and_one_answer,
    the_same_request_twice_in_a_batch_is_carried_out_once,
    a_request_id_reused_for_another_operation_is_refused,
    refusals_are_not_stored,
    the_first_answer_survives_later_changes,
    every_write_can_be_repeated,
    a_stored_answer_expires,
    each_app_has_its_own_request_ids,
    request_keys_are_claimed_without_deadlocks,
];

async fn messages(fixture: &StoreFixture) -> i64 {
    fixture
        .raw()
        .await
        .number("SELECT count(*) FROM message")
        .await
}

async fn the_same_request_sixteen_times_at_once_over_two_stores_is_one_message_and_one_answer(
    fixture: &StoreFixture,
) {
    let replica = fixture.replica().await;
    let stores = [&fixture.store, &replica];
    for round in 0..5 {
        let operation = repeatable(&format!("round-{round}"), 1, send("ann", &["bob", "cid"]));
        let call = async |call: usize| stores[call % 2].run(&app(), operation.clone()).await;
        let answers = join_all((0..16).map(call)).await;
        assert!(answers[0].is_ok());
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        assert_eq!(messages(fixture).await, round + 1);
        assert_eq!(fixture.counts("bob").await, (round + 1, round + 1, 0));
    }
    replica.close().await;
}

async fn the_same_request_twice_in_a_batch_is_carried_out_once(fixture: &StoreFixture) {
    let same = repeatable("one", 1, send("ann", &["bob"]));
    let other = repeatable("one", 2, send("ann", &["bob"]));
    let more = repeatable("two", 1, send("ann", &["bob"]));
    let batch = [&same, &same, &other, &more, &same];
    let batch = batch.map(|operation| (app(), operation.clone()));
    let verdicts = fixture.store.batch(batch.into()).await;
    assert!(verdicts[0].is_ok() && verdicts[3].is_ok());
    assert_eq!((&verdicts[1], &verdicts[4]), (&verdicts[0], &verdicts[0]));
    assert_eq!(verdicts[2], Err(Refusal::RequestIdReused));
    assert_ne!(verdicts[3], verdicts[0]);
    assert_eq!(messages(fixture).await, 2);
    assert_eq!(fixture.execute(&app(), same).await, verdicts[0]);
}

async fn a_request_id_reused_for_another_operation_is_refused(fixture: &StoreFixture) {
    let operation = repeatable("id", 1, send("ann", &["bob"]));
    let first = fixture.execute(&app(), operation.clone()).await;
    let before = fixture.raw().await.everything("app").await;
    for other in [send("ann", &["cid"]), clear("ann", Msgbox::Inbox)] {
        let verdict = fixture.execute(&app(), repeatable("id", 2, other)).await;
        assert_eq!(verdict, Err(Refusal::RequestIdReused));
    }
    assert_eq!(fixture.raw().await.everything("app").await, before);
    assert_eq!(fixture.execute(&app(), operation).await, first);
}

async fn refusals_are_not_stored(fixture: &StoreFixture) {
    let forbid = |forbidden: bool| {
        configure(Settings {
            allow_self_send: Some(!forbidden),
            ..Settings::default()
        })
    };
    fixture.done(forbid(true)).await;
    let operation = repeatable("id", 1, send("ann", &["ann"]));
    for _ in 0..2 {
        let verdict = fixture.execute(&app(), operation.clone()).await;
        assert_eq!(verdict, Err(Refusal::NotAllowed));
    }
    let kept = fixture
        .raw()
        .await
        .number("SELECT count(*) FROM request")
        .await;
    assert_eq!(kept, 0);
    fixture.done(forbid(false)).await;
    let message = sent(fixture.execute(&app(), operation.clone()).await);
    assert_eq!(sent(fixture.execute(&app(), operation).await), message);

    // Also when the first of a batch is refused and the second is not.
    let refused = repeatable("two", 1, remove_one(message, Some(9)));
    let accepted = repeatable("two", 2, remove_one(message, Some(1)));
    let batch = vec![(app(), refused), (app(), accepted.clone())];
    let verdicts = fixture.store.batch(batch).await;
    assert!(verdicts[0].is_err());
    assert_eq!(verdicts[1], Ok(Outcome::Done));
    assert_eq!(fixture.execute(&app(), accepted).await, Ok(Outcome::Done));
}

async fn the_first_answer_survives_later_changes(fixture: &StoreFixture) {
    let send_it = repeatable("send", 1, send("ann", &["ann", "bob"]));
    let first = fixture.execute(&app(), send_it.clone()).await;
    let message = sent(first.clone());
    let update_it = repeatable("update", 1, update(message, "new", Some(1)));
    let revised = fixture.execute(&app(), update_it.clone()).await;
    assert!(matches!(revised, Ok(Outcome::Revised(_))));

    fixture.done(remove(&[message])).await;
    fixture
        .done(configure(Settings {
            allow_self_send: Some(false),
            max_content_bytes: Some(1),
            max_recipients: Some(1),
            ..Settings::default()
        }))
        .await;
    fixture.clock().advance(IDEMPOTENCY_MS - 1);
    let before = fixture.raw().await.everything("app").await;
    let replica = fixture.replica().await;
    for store in [&fixture.store, &replica] {
        assert_eq!(store.run(&app(), send_it.clone()).await, first);
        assert_eq!(store.run(&app(), update_it.clone()).await, revised);
    }
    let batch = vec![(app(), send_it), (app(), update_it)];
    assert_eq!(replica.batch(batch).await, [first, revised]);
    assert_eq!(fixture.raw().await.everything("app").await, before);
    replica.close().await;
}

async fn every_write_can_be_repeated(fixture: &StoreFixture) {
    let message = fixture.send("ann", &["bob", "cid"]).await;
    let other = fixture.send("ann", &["bob", "cid"]).await;
    let actions = [
        announce(&["bob"]),
        mark("bob", &[message], true),
        delete("cid", Msgbox::Inbox, &[message]),
        update(message, "new", None),
        configure(Settings::default()),
        recall("ann", Msgbox::Sent, &[message]),
        remove_one(other, None),
        clear("bob", Msgbox::Inbox),
        remove(&[message, other]),
    ];
    for (number, action) in actions.into_iter().enumerate() {
        let operation = repeatable(&format!("request-{number}"), 1, action);
        let first = fixture.execute(&app(), operation.clone()).await;
        assert!(first.is_ok(), "{operation:?}: {first:?}");
        let before = fixture.raw().await.everything("app").await;
        assert_eq!(fixture.execute(&app(), operation).await, first);
        assert_eq!(fixture.raw().await.everything("app").await, before);
    }
}

async fn a_stored_answer_expires(fixture: &StoreFixture) {
    let operation = repeatable("id", 1, send("ann", &["bob"]));
    let first = fixture.execute(&app(), operation.clone()).await;
    fixture.clock().advance(IDEMPOTENCY_MS - 1);
    assert_eq!(fixture.execute(&app(), operation.clone()).await, first);
    fixture.clock().advance(1);
    let other = repeatable("id", 2, send("ann", &["cid"]));
    let second = fixture.execute(&app(), other.clone()).await;
    assert_ne!(sent(second.clone()), sent(first));
    assert_eq!(fixture.execute(&app(), other).await, second);
    let reused = fixture.execute(&app(), operation).await;
    assert_eq!(reused, Err(Refusal::RequestIdReused));
    assert_eq!(messages(fixture).await, 2);
}

async fn each_app_has_its_own_request_ids(fixture: &StoreFixture) {
    let operation = repeatable("id", 1, send("ann", &["bob"]));
    let other = repeatable("id", 2, send("ann", &["cid"]));
    let here = sent(fixture.execute(&app(), operation.clone()).await);
    let there = other_app("other");
    let too = sent(fixture.execute(&there, other.clone()).await);
    assert_ne!(here, too);
    assert_eq!(sent(fixture.execute(&app(), operation).await), here);
    assert_eq!(sent(fixture.execute(&there, other).await), too);
}

/// Claims many keys on two stores in opposite orders.
async fn request_keys_are_claimed_without_deadlocks(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    raw.look_for_deadlocks_at_once().await;
    let stores = [fixture.replica().await, fixture.replica().await];
    for round in 0..6 {
        let operation = |number: usize| -> Operation {
            let letter = from_user("ann", &["bob"], bytes(number + 1));
            let action = domain::Action::SendMessage(letter);
            repeatable(&format!("round-{round}-{number}"), 1, action)
        };
        let forth: Vec<_> = (0..30).map(|number| (app(), operation(number))).collect();
        let back: Vec<_> = forth.iter().rev().cloned().collect();
        let calls = [(&stores[0], &forth), (&stores[1], &back)];
        let answers = calls.map(async |(store, batch)| store.try_batch(batch.clone()).await);
        let [one, other] = <[_; 2]>::try_from(join_all(answers).await).expect("two");
        let (one, mut other) = (one.expect("a batch"), other.expect("a batch"));
        other.reverse();
        assert_eq!(one, other);
        assert_eq!(messages(fixture).await, 30 * (round + 1));
    }
    for store in stores {
        store.close().await;
    }
}
