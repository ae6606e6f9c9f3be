//! A batch is its operations one by one, and more than that only in one transaction.

use std::sync::Arc;

use domain::limits::BATCH_OPERATIONS_MAX;
use domain::{AppId, Operation, Outcome, Refusal};
use storage::Clock;
use storage_sql::Options;
use support::ids::SequentialIds;
use support::on_each_database;

use super::bench::{Bench, Store};
use super::words::{app, nobodys, operation, other_app, send, sent, update};
use crate::model::dice::Dice;
use crate::model::policy;
use crate::model::reference::Reference;

on_each_database![
    a_batch_of_many_apps_and_users_is_the_same_as_its_operations_one_by_one,
    a_refused_operation_does_not_touch_the_others_of_its_batch,
    an_empty_batch_is_no_work,
];

type Batch = Vec<(AppId, Operation)>;

/// The same random operations for apps of either name.
struct Twins {
    dice: [Dice; 2],
    references: [Reference; 2],
    ids: [SequentialIds; 2],
}

const NAMES: [&str; 2] = ["at-once", "one-by-one"];

impl Twins {
    fn new() -> Self {
        Self {
            dice: NAMES.map(|name| Dice::new(7, name)),
            references: NAMES.map(|_| Reference::new(policy())),
            ids: NAMES.map(|_| SequentialIds::default()),
        }
    }

    fn next(&mut self, bench: &Bench, size: usize) -> [Batch; 2] {
        let now = bench.clock().now_ms();
        let mut batches = [Batch::new(), Batch::new()];
        for (twin, batch) in batches.iter_mut().enumerate() {
            let dice = &mut self.dice[twin];
            for _ in 0..size {
                let reference = &mut self.references[twin];
                // What is sent to everyone is seen by the next batch.
                let wish = loop {
                    let wish = dice.wish();
                    if !reference.is_about_bulk(&wish.app, &wish.deed) {
                        break wish;
                    }
                };
                let id = wish.message_id(&self.ids[twin], now);
                let verdict = reference.execute(&wish.app, wish.request, &wish.deed, id, now);
                dice.learn(&wish, &verdict);
                batch.push((wish.app.clone(), wish.operation()));
            }
        }
        batches
    }
}

/// A store whose ids begin at the beginning.
async fn twin_store(bench: &Bench) -> Store {
    let options = Options {
        policy: policy(),
        ids: Arc::new(SequentialIds::default()),
        ..bench.test.options.clone()
    };
    bench.store_of(&options).await
}

async fn a_batch_of_many_apps_and_users_is_the_same_as_its_operations_one_by_one(bench: &Bench) {
    let [at_once, one_by_one] = [twin_store(bench).await, twin_store(bench).await];
    let mut twins = Twins::new();
    let (mut refusals, mut stored) = (0, Vec::new());
    for _ in 0..4 {
        let [batch, same] = twins.next(bench, BATCH_OPERATIONS_MAX);
        let verdicts = at_once.batch(batch).await;
        let mut expected: Vec<Result<Outcome, Refusal>> = Vec::new();
        for (app, operation) in same {
            expected.push(one_by_one.run(&app, operation).await);
        }
        assert_eq!(verdicts, expected);
        refusals += verdicts.iter().filter(|verdict| verdict.is_err()).count();
        bench.clock().advance(1_000);

        let raw = bench.raw().await;
        stored = raw.everything(NAMES[0]).await;
        compare(&stored, &raw.everything(NAMES[1]).await);
    }
    assert!(stored.iter().any(|line| is_tombstone(line)));
    assert!(refusals > 50, "there were only {refusals} refusals");
    at_once.close().await;
    one_by_one.close().await;
}

fn is_tombstone(line: &str) -> bool {
    line.contains(" tombstone ")
}

/// What came and went in one batch left no tombstone. All else is the same.
fn compare(at_once: &[String], one_by_one: &[String]) {
    let lost: Vec<_> = one_by_one
        .iter()
        .filter(|line| !is_tombstone(line) && !at_once.contains(line))
        .collect();
    let added: Vec<_> = at_once
        .iter()
        .filter(|line| !one_by_one.contains(line))
        .collect();
    assert!(lost.is_empty() && added.is_empty(), "{lost:#?} {added:#?}");
}

async fn a_refused_operation_does_not_touch_the_others_of_its_batch(bench: &Bench) {
    let (here, there) = (app(), other_app("there"));
    let batch = vec![
        (here.clone(), operation(send("ann", &["bob"]))),
        (here.clone(), operation(update(nobodys(), "new", None))),
        (there.clone(), operation(send("ann", &["bob"]))),
        (there.clone(), operation(update(nobodys(), "new", None))),
        (here.clone(), operation(send("bob", &["ann"]))),
    ];
    let verdicts = bench.store.batch(batch).await;
    for index in [1, 3] {
        assert_eq!(verdicts[index], Err(Refusal::NotFound));
    }
    let messages = [0, 2, 4].map(|index: usize| sent(verdicts[index].clone()));
    assert!(messages.is_sorted());
    assert_eq!(bench.counts("ann").await, (1, 1, 1));
    assert_eq!(bench.counts_in(&there, "bob").await, (1, 1, 0));
}

async fn an_empty_batch_is_no_work(bench: &Bench) {
    assert_eq!(bench.store.batch(Vec::new()).await, []);
}
