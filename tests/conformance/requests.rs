//! Idempotency: one request, one change, one answer.

use domain::limits::IDEMPOTENCY_MS;
use domain::{Msgbox, Operation, Outcome, Refusal, Settings};
use futures::future::join_all;
use support::however_gathered;

use super::bench::Bench;
use super::words::{
    announce, app, bytes, clear, configure, delete, from_user, mark, other_app, recall, remove,
    remove_one, repeatable, send, sent, update,
};

however_gathered![
    the_same_request_sixteen_times_at_once_over_two_stores_is_one_message_and_one_answer,
    the_same_request_twice_in_a_batch_is_carried_out_once,
    a_request_id_for_something_else_is_refused,
    refusals_are_not_remembered,
    the_first_answer_stays_whatever_happens_later,
    every_operation_that_changes_something_can_be_repeated,
    an_answer_is_forgotten_after_its_time,
    each_app_has_its_own_request_ids,
    keys_of_a_batch_are_claimed_without_dead_locks,
];

async fn messages(bench: &Bench) -> i64 {
    bench
        .raw()
        .await
        .number("SELECT count(*) FROM message")
        .await
}

async fn the_same_request_sixteen_times_at_once_over_two_stores_is_one_message_and_one_answer(
    bench: &Bench,
) {
    let replica = bench.replica().await;
    let stores = [&bench.store, &replica];
    for round in 0..5 {
        let operation = repeatable(&format!("round-{round}"), 1, send("ann", &["bob", "cid"]));
        let call = async |call: usize| stores[call % 2].run(&app(), operation.clone()).await;
        let answers = join_all((0..16).map(call)).await;
        assert!(answers[0].is_ok());
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        assert_eq!(messages(bench).await, round + 1);
        assert_eq!(bench.counts("bob").await, (round + 1, round + 1, 0));
    }
    replica.close().await;
}

async fn the_same_request_twice_in_a_batch_is_carried_out_once(bench: &Bench) {
    let same = repeatable("one", 1, send("ann", &["bob"]));
    let other = repeatable("one", 2, send("ann", &["bob"]));
    let more = repeatable("two", 1, send("ann", &["bob"]));
    let batch = [&same, &same, &other, &more, &same];
    let batch = batch.map(|operation| (app(), operation.clone()));
    let verdicts = bench.store.batch(batch.into()).await;
    assert!(verdicts[0].is_ok() && verdicts[3].is_ok());
    assert_eq!((&verdicts[1], &verdicts[4]), (&verdicts[0], &verdicts[0]));
    assert_eq!(verdicts[2], Err(Refusal::RequestIdReused));
    assert_ne!(verdicts[3], verdicts[0]);
    assert_eq!(messages(bench).await, 2);
    assert_eq!(bench.execute(&app(), same).await, verdicts[0]);
}

async fn a_request_id_for_something_else_is_refused(bench: &Bench) {
    let operation = repeatable("id", 1, send("ann", &["bob"]));
    let first = bench.execute(&app(), operation.clone()).await;
    let before = bench.raw().await.everything("app").await;
    for other in [send("ann", &["cid"]), clear("ann", Msgbox::Inbox)] {
        let verdict = bench.execute(&app(), repeatable("id", 2, other)).await;
        assert_eq!(verdict, Err(Refusal::RequestIdReused));
    }
    assert_eq!(bench.raw().await.everything("app").await, before);
    assert_eq!(bench.execute(&app(), operation).await, first);
}

async fn refusals_are_not_remembered(bench: &Bench) {
    let forbid = |forbidden: bool| {
        configure(Settings {
            allow_self_send: Some(!forbidden),
            ..Settings::default()
        })
    };
    bench.done(forbid(true)).await;
    let operation = repeatable("id", 1, send("ann", &["ann"]));
    for _ in 0..2 {
        let verdict = bench.execute(&app(), operation.clone()).await;
        assert_eq!(verdict, Err(Refusal::NotAllowed));
    }
    let kept = bench
        .raw()
        .await
        .number("SELECT count(*) FROM request")
        .await;
    assert_eq!(kept, 0);
    bench.done(forbid(false)).await;
    let message = sent(bench.execute(&app(), operation.clone()).await);
    assert_eq!(sent(bench.execute(&app(), operation).await), message);

    // Also when the first of a batch is refused and the second is not.
    let refused = repeatable("two", 1, remove_one(message, Some(9)));
    let accepted = repeatable("two", 2, remove_one(message, Some(1)));
    let batch = vec![(app(), refused), (app(), accepted.clone())];
    let verdicts = bench.store.batch(batch).await;
    assert!(verdicts[0].is_err());
    assert_eq!(verdicts[1], Ok(Outcome::Done));
    assert_eq!(bench.execute(&app(), accepted).await, Ok(Outcome::Done));
}

async fn the_first_answer_stays_whatever_happens_later(bench: &Bench) {
    let send_it = repeatable("send", 1, send("ann", &["ann", "bob"]));
    let first = bench.execute(&app(), send_it.clone()).await;
    let message = sent(first.clone());
    let update_it = repeatable("update", 1, update(message, "new", Some(1)));
    let revised = bench.execute(&app(), update_it.clone()).await;
    assert!(matches!(revised, Ok(Outcome::Revised(_))));

    bench.done(remove(&[message])).await;
    bench
        .done(configure(Settings {
            allow_self_send: Some(false),
            max_content_bytes: Some(1),
            max_recipients: Some(1),
            ..Settings::default()
        }))
        .await;
    bench.clock().advance(IDEMPOTENCY_MS - 1);
    let before = bench.raw().await.everything("app").await;
    let replica = bench.replica().await;
    for store in [&bench.store, &replica] {
        assert_eq!(store.run(&app(), send_it.clone()).await, first);
        assert_eq!(store.run(&app(), update_it.clone()).await, revised);
    }
    let batch = vec![(app(), send_it), (app(), update_it)];
    assert_eq!(replica.batch(batch).await, [first, revised]);
    assert_eq!(bench.raw().await.everything("app").await, before);
    replica.close().await;
}

async fn every_operation_that_changes_something_can_be_repeated(bench: &Bench) {
    let message = bench.send("ann", &["bob", "cid"]).await;
    let other = bench.send("ann", &["bob", "cid"]).await;
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
        let first = bench.execute(&app(), operation.clone()).await;
        assert!(first.is_ok(), "{operation:?}: {first:?}");
        let before = bench.raw().await.everything("app").await;
        assert_eq!(bench.execute(&app(), operation).await, first);
        assert_eq!(bench.raw().await.everything("app").await, before);
    }
}

async fn an_answer_is_forgotten_after_its_time(bench: &Bench) {
    let operation = repeatable("id", 1, send("ann", &["bob"]));
    let first = bench.execute(&app(), operation.clone()).await;
    bench.clock().advance(IDEMPOTENCY_MS - 1);
    assert_eq!(bench.execute(&app(), operation.clone()).await, first);
    bench.clock().advance(1);
    let other = repeatable("id", 2, send("ann", &["cid"]));
    let second = bench.execute(&app(), other.clone()).await;
    assert_ne!(sent(second.clone()), sent(first));
    assert_eq!(bench.execute(&app(), other).await, second);
    let reused = bench.execute(&app(), operation).await;
    assert_eq!(reused, Err(Refusal::RequestIdReused));
    assert_eq!(messages(bench).await, 2);
}

async fn each_app_has_its_own_request_ids(bench: &Bench) {
    let operation = repeatable("id", 1, send("ann", &["bob"]));
    let other = repeatable("id", 2, send("ann", &["cid"]));
    let here = sent(bench.execute(&app(), operation.clone()).await);
    let there = other_app("other");
    let too = sent(bench.execute(&there, other.clone()).await);
    assert_ne!(here, too);
    assert_eq!(sent(bench.execute(&app(), operation).await), here);
    assert_eq!(sent(bench.execute(&there, other).await), too);
}

/// Two stores claim the same many keys in opposite orders, and hold them to the end.
async fn keys_of_a_batch_are_claimed_without_dead_locks(bench: &Bench) {
    let raw = bench.raw().await;
    raw.look_for_deadlocks_at_once().await;
    let stores = [bench.replica().await, bench.replica().await];
    for round in 0..6 {
        let operation = |number: usize| -> Operation {
            let letter = from_user("ann", &["bob"], bytes(number + 1));
            let action = domain::Action::Deliver(letter);
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
        assert_eq!(messages(bench).await, 30 * (round + 1));
    }
    for store in stores {
        store.close().await;
    }
}
